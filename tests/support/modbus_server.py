"""A Modbus TCP server on pymodbus whose words come from a file and change by orders on its input.

Called with the file and the port. The file maps unit id -> table -> first address -> words. An order is
one line of JSON: {"unit", "table", "address", "words"}, {"unit", "exception"} or {"unit", "delay_ms"};
each is answered by the line "done" when it is in force, or by the reason why it is not.
"""

import asyncio
import json
import sys

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

TABLES = ("coils", "discrete", "holding", "input")
# The function code by which the server's memory is reached, one a table.
WRITE_CODE = {"coils": 15, "discrete": 2, "holding": 16, "input": 4}
# A table must hold something, so one that the file does not name has a lone entry at the far end.
FAR_ADDRESS = 65534


def blocks(table, runs):
    """The simulator's description of one table."""
    bits = table in ("coils", "discrete")
    if not runs and bits:
        return [SimData(FAR_ADDRESS, values=[False], datatype=DataType.BITS)]
    if not runs:
        return [SimData(FAR_ADDRESS, values=[0], datatype=DataType.REGISTERS)]
    if bits:
        return [
            SimData(int(address), values=[bool(bit) for bit in values], datatype=DataType.BITS)
            for address, values in runs.items()
        ]
    # One entry a word: of an entry with several words only the first could be read alone.
    return [
        SimData(int(address) + offset, values=[word], datatype=DataType.REGISTERS)
        for address, values in runs.items()
        for offset, word in enumerate(values)
    ]


class Unit:
    """One unit id: its words, and how it misbehaves."""

    def __init__(self, number, tables):
        unknown = set(tables) - set(TABLES)
        if unknown:
            raise ValueError(f"unknown tables: {unknown}")
        self.exception = None
        self.delay_ms = 0
        self.device = SimDevice(
            id=number,
            simdata=tuple(blocks(table, tables.get(table, {})) for table in TABLES),
            action=self.before_answer,
        )

    async def before_answer(self, _function, _start, _address, _count, _registers, _values):
        """Called by the server between a request and its answer."""
        if self.delay_ms:
            await asyncio.sleep(self.delay_ms / 1000)
        return ExcCodes(self.exception) if self.exception else None


async def obey(server, units, order):
    """Carries one order out."""
    unit = units[order["unit"]]
    if "exception" in order:
        unit.exception = order["exception"]
    elif "delay_ms" in order:
        unit.delay_ms = order["delay_ms"]
    else:
        misbehaviour = unit.exception, unit.delay_ms
        unit.exception, unit.delay_ms = None, 0
        values = order["words"]
        if order["table"] in ("coils", "discrete"):
            values = [bool(value) for value in values]
        refusal = await server.context.async_setValues(
            order["unit"], WRITE_CODE[order["table"]], order["address"], values
        )
        unit.exception, unit.delay_ms = misbehaviour
        if refusal:
            raise ValueError(f"refused: {refusal}")


async def main(path, port):
    with open(path, encoding="utf-8") as file:
        units = {int(unit): Unit(int(unit), tables) for unit, tables in json.load(file).items()}
    devices = [unit.device for unit in units.values()]
    server = ModbusTcpServer(devices, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    orders = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(orders)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    # The end of the input is the end of the test.
    while line := await orders.readline():
        try:
            await obey(server, units, json.loads(line))
            print("done", flush=True)
        except Exception as error:  # the test shall see whatever it was
            print(f"{type(error).__name__}: {error}", flush=True)


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
