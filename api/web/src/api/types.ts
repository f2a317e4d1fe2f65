// Made by `npm run types` from api/openapi.json. Do not edit.

export interface paths {
    "/api/v1/adjustments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Prior-period adjustments 前期调整, frozen and live, each with its cause. */
        get: operations["adjustments"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/balance": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The balance of a point and its children 平衡: the residual, and whether somebody should look. */
        get: operations["balance"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/budgets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Budgets of a year: used, left, pace and colour. */
        get: operations["budgets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buildings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Buildings, of one institution or all. */
        get: operations["buildings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/carbon": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Standard coal and location-based CO2 by time, and what each commodity brings. */
        get: operations["carbon"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/closes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Proposals to close a month 关账, and what became of them. */
        get: operations["closes"];
        put?: never;
        /** Proposes to close a month, or a revision of a closed one. Its figures are frozen in the books. */
        post: operations["propose_close"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/closes/checklist": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a month needs before it may close 关账检查, and what of it is there. */
        get: operations["checklist"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/closes/{proposal}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One proposal with its frozen content and checklist. */
        get: operations["close"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/closes/{proposal}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Approves a proposal that somebody else made: the month is closed. */
        post: operations["approve_close"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/closes/{proposal}/reject": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Turns a proposal down. The maker may do that too. */
        post: operations["reject_close"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What happened 台账, the newest first. */
        get: operations["events"];
        put?: never;
        /** Enters a replacement of a meter, a reading by hand, or readings that do not count. */
        post: operations["enter_event"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events/{seq}/undo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Takes an event back. Both stay in the books. */
        post: operations["undo_event"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Where a figure of the ledger comes from 溯源: registers, readings, fills, chain of meters, ratio,
         *     tariff, factors, adjustments; for a total the tree down to them.
         */
        get: operations["explain"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/institutions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The institutions of the site 公共机构. */
        get: operations["institutions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/invoices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Invoices 账单, each compared with the ledger over its own dates, the newest first. */
        get: operations["invoices"];
        put?: never;
        /** Enters invoices: all of them, or none where one is refused. */
        post: operations["enter_invoices"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ledger": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Amounts of one commodity. A total takes the points that no other point of the scope meters too. */
        get: operations["ledger"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Events `power` (every 2 s, data of schema `Power`), `health` (every 10 s, schema `Health`) and
         *     `books` (when an event was entered, schema `BooksSeq`).
         */
        get: operations["live"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/meters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Meters 表计 with their state and last readings. */
        get: operations["meters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/points": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Points 计量点, of an institution, a building or all. */
        get: operations["points"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/readings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Readings of a meter and quantity, as the register shows them. */
        get: operations["readings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/reports/monthly/{institution}/{month}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The monthly report of an institution 公共机构月度碳报告. */
        get: operations["monthly"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/reviews": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the ledger found in registers that is not plain counting 复核队列. */
        get: operations["reviews"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/reviews/{id}/decision": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Decides what a finding means. Just what it touches is computed again. */
        post: operations["decide_review"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tariffs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Dated tariffs 电价水价气价 and the accounts 户号 that pay by them. */
        get: operations["tariffs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tariffs/bill": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The bill of an account for a month 电费账单, line by line, as the ledger and the tariffs have it. */
        get: operations["bill"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Alive. */
        get: operations["healthz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Counters and gauges in the text format of Prometheus. */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This contract. */
        get: operations["openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Ready: the store answers and the journal has room. */
        get: operations["readyz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An account 户号 with a supplier. */
        Account: {
            /** @description Transformer capacity, where it pays for that. */
            capacity_kva: string | null;
            /** @description What is sold. */
            commodity: string;
            /** @description What it pays for power: `none`, `maximum_demand` or `capacity`. */
            demand: string;
            /** @description Id. */
            id: string;
            /** @description Whose. */
            institution: string;
            /** @description The supplier's number for it. */
            number: string;
            /** @description The points that the supplier's meters are. */
            points: string[];
            /** @description Supplier. */
            supplier: string;
            /** @description Which tariff, by date. */
            tariffs: components["schemas"]["AccountTariff"][];
        };
        /** @description What an account has to pay for a period by the ledger and its tariffs. Sums are decimal texts. */
        AccountBill: {
            /** @description The account's id. */
            account: string;
            /**
             * Format: double
             * @description What was taken, priced or not.
             */
            amount: number;
            /** @description What was taken by band, those without a price left out. */
            by_band: components["schemas"]["BandAmount"][];
            /** @description What is sold. */
            commodity: string;
            /**
             * Format: int64
             * @description When the window of the maximum demand begins, in seconds (UTC).
             */
            demand_at_s: number | null;
            /** @description Maximum demand of the period in kW, for electricity. */
            demand_kw: string | null;
            /**
             * Format: date
             * @description First local day.
             */
            from: string;
            /**
             * @description Energy and surcharges of all intervals, as the ledger's rows have them; null where
             *     something has no price.
             */
            interval_cost_cny: string | null;
            /**
             * Format: int64
             * @description Intervals that its points are served.
             */
            intervals_expected: number;
            /**
             * Format: int64
             * @description Intervals of all its points with an amount.
             */
            intervals_present: number;
            /** @description Sum of the lines that are known. */
            known_cny: string;
            /** @description Line by line. */
            lines: components["schemas"]["AccountBillLine"][];
            /**
             * @description The power factor by the reactive energy that the account's meters count; null where they
             *     count none.
             */
            measured_power_factor: string | null;
            /**
             * @description The power factor that was used: that of the invoice of these days where it states one, else
             *     the measured one.
             */
            power_factor: string | null;
            /**
             * Format: double
             * @description Reactive energy in kvarh, drawn and delivered, on which the measured power factor rests.
             */
            reactive_kvarh: number | null;
            /**
             * Format: date
             * @description First day after.
             */
            to: string;
            /** @description The total; null where a line is not known or nothing was measured. */
            total_cny: string | null;
            /** @description Unit of the amounts. */
            unit: string;
        };
        /** @description One line. */
        AccountBillLine: {
            /** @description `sharp`, `peak`, `flat`, `valley` or `deep_valley`, for energy. */
            band: string | null;
            /**
             * Format: int64
             * @description For a price a month: how many days are charged.
             */
            days: number | null;
            /**
             * Format: int64
             * @description For a price a month: how many days the month has.
             */
            days_of_month: number | null;
            /**
             * Format: date
             * @description First local day.
             */
            from: string;
            /** @description `energy`, `unpriced`, `surcharge`, `tier`, `demand`, `capacity`, `power_factor` or `fixed` */
            kind: string;
            /** @description English name. */
            name_en: string;
            /** @description Chinese name. */
            name_zh: string;
            /** @description CNY a unit; for the power factor the share by which the bill changes. */
            price: string | null;
            /** @description How much, in `unit`. */
            quantity: string | null;
            /** @description CNY, rounded to 0.01; null where it is not known. */
            sum_cny: string | null;
            /** @description The tariff version, as `id@from`; empty where there is none. */
            tariff: string;
            /**
             * Format: date
             * @description First day after.
             */
            to: string;
            /** @description Of the quantity: kWh, m3, GJ; kW, kVA; CNY; month. */
            unit: string;
            /** @description Why there is no sum: `price`, `demand`, `power_factor`, `base`, `year_before` or `range`. */
            unknown: string | null;
            /** @description The same in English. */
            unknown_en: string | null;
            /** @description The same in Chinese. */
            unknown_zh: string | null;
        };
        /** @description A tariff of an account. */
        AccountTariff: {
            /**
             * Format: date
             * @description First day.
             */
            from: string;
            /** @description Id of the tariff. */
            tariff: string;
            /**
             * Format: date
             * @description First day after; null is open.
             */
            to: string | null;
        };
        /** @description Why a closed month is no longer what it was. */
        AdjustmentCause: {
            /** @description The events of the books that name the point's meters, or the revision. */
            events: number[];
            /** @description Its kind. */
            kind: components["schemas"]["CauseKind"];
            /** @description In English words. */
            text_en: string;
            /** @description In Chinese words. */
            text_zh: string;
        };
        /** @description An adjustment for people. */
        AdjustmentEntry: {
            /**
             * Format: double
             * @description The change in the commodity's unit.
             */
            amount: number;
            /**
             * Format: int64
             * @description The exact change.
             */
            amount_base: number;
            /** @description The month on which it stands, `yyyy-mm`. */
            booked: string;
            /** @description Why. */
            cause: components["schemas"]["AdjustmentCause"];
            /**
             * Format: double
             * @description Change of CO2, location-based.
             */
            co2_kg: number | null;
            /** @description What it meters. */
            commodity: string;
            /**
             * Format: double
             * @description Change of cost in CNY.
             */
            cost_cny: number | null;
            /**
             * Format: double
             * @description Change of standard coal.
             */
            kgce: number | null;
            /** @description Whether that month is still open, so that the line may change. */
            live: boolean;
            /** @description The closed month that it corrects, `yyyy-mm`. */
            month: string;
            /** @description English name of the point. */
            name_en: string;
            /** @description Chinese name of the point. */
            name_zh: string;
            /** @description Point. */
            point: string;
            /** @description Unit of `amount`. */
            unit: string;
        };
        /** @description Answer of `adjustments`. */
        Adjustments: {
            /** @description What changed in closed months after their close, with its cause. */
            adjustments: components["schemas"]["AdjustmentEntry"][];
            /** @description Whose. */
            institution: string;
        };
        /** @description The aggregator. */
        Aggregator: {
            /**
             * Format: int64
             * @description Point-days whose ledger waits.
             */
            dirty_days: number;
            /**
             * Format: date-time
             * @description When the cursor last moved.
             */
            moved_at: string | null;
            /**
             * Format: int64
             * @description Readings that wait.
             */
            queued: number;
            /**
             * Format: int64
             * @description Readings taken into the store.
             */
            stored_total: number;
        };
        /** @description Answer of `/healthz`. */
        Alive: {
            /** @description `ok` */
            status: string;
            /** @description The program's version. */
            version: string;
        };
        /** @description How a shared point is divided. */
        AllocationView: {
            /** @description `share`, `floor_area` or `energy_users`. */
            by: string;
            /** @description The shared point. */
            point: string;
            /** @description Who receives. */
            receivers: string[];
            /** @description The point of what nobody receives. */
            rest: string;
        };
        /** @description The balance of a point, period by period. */
        Balance: {
            /** @description What is metered. */
            commodity: string;
            /** @description The periods in which the point has an amount, or a child has one. */
            periods: components["schemas"]["BalancePeriod"][];
            /** @description The point. */
            point: string;
            /** @description `day` or `month` */
            span: string;
            /**
             * Format: double
             * @description The part of the point's amount by which its children may differ.
             */
            tolerance: number;
            /** @description Unit of the amounts. */
            unit: string;
        };
        /** @description A child's part in a balance. */
        BalanceChild: {
            /**
             * Format: double
             * @description What it meters; null where nothing is known.
             */
            amount: number | null;
            /**
             * Format: int64
             * @description Intervals of its service that are missing.
             */
            intervals_missing: number;
            /** @description English name. */
            name_en: string;
            /** @description Chinese name. */
            name_zh: string;
            /** @description The child. */
            point: string;
        };
        /** @description The balance of one period. */
        BalancePeriod: {
            /**
             * Format: double
             * @description What the point meters; null where nothing is known.
             */
            amount: number | null;
            /** @description What each child meters. */
            children: components["schemas"]["BalanceChild"][];
            /**
             * Format: double
             * @description What the children meter together; null where the point has none.
             */
            children_amount: number | null;
            /**
             * Format: date
             * @description First local day.
             */
            from: string;
            /**
             * Format: double
             * @description Point − children; null where a part of it is not known at all.
             */
            residual: number | null;
            /**
             * Format: int64
             * @description The same in base units.
             */
            residual_base: number | null;
            /**
             * Format: double
             * @description Residual ÷ point, where the point has an amount above zero.
             */
            residual_share: number | null;
            /**
             * Format: date
             * @description First day after.
             */
            to: string;
            /** @description Whether somebody should look. */
            verdict: components["schemas"]["BalanceVerdict"];
        };
        /**
         * @description What a balance says.
         * @enum {string}
         */
        BalanceVerdict: "ok" | "exceeded" | "unknown";
        /** @description What was taken in a band. */
        BandAmount: {
            /**
             * Format: double
             * @description In the unit of the bill.
             */
            amount: number;
            /** @description `sharp`, `peak`, `flat`, `valley` or `deep_valley` */
            band: string;
            /** @description English name. */
            name_en: string;
            /** @description Chinese name. */
            name_zh: string;
        };
        /** @description The price of a band. */
        BandPrice: {
            /** @description `sharp`, `peak`, `flat`, `valley` or `deep_valley` */
            band: string;
            /** @description Per unit. */
            cny: string;
            /** @description The same with all surcharges: what an interval costs. */
            cny_with_surcharges: string;
            /** @description English name. */
            name_en: string;
            /** @description 尖, 峰, 平, 谷 or 深谷 */
            name_zh: string;
        };
        /** @description A band from one local time to another. */
        BandRun: {
            /** @description `sharp`, `peak`, `flat`, `valley` or `deep_valley` */
            band: string;
            /** @description `hh:mm` */
            from: string;
            /** @description `hh:mm`, at most `24:00` */
            to: string;
        };
        /** @description What a band of a tariff version took and cost. */
        BandView: {
            /**
             * Format: int64
             * @description The amount.
             */
            amount_base: number;
            /** @description `sharp`, `peak`, `flat`, `valley`, `deep_valley`; empty where nothing gives a price. */
            band: string;
            /** @description Chinese name. */
            band_zh: string;
            /** @description Amount × price in CNY, exact. */
            cost_cny: string | null;
            /** @description Energy price and surcharges in CNY a unit. */
            price_cny: string | null;
            /** @description The version, `id@from`. */
            tariff: string;
        };
        /** @description Data of the event `books`: it comes first with the number that stands, then with every change. */
        BooksSeq: {
            /**
             * Format: int64
             * @description The number of the last event of the books; 0 where they are empty.
             */
            seq: number;
        };
        /** @description A register at an instant. */
        BoundaryView: {
            after: components["schemas"]["ReadingView"] | null;
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            before: components["schemas"]["ReadingView"] | null;
            /**
             * @description `exact`: a reading stands there; `linear`: between two; `even` and `shape`: within an
             *     outage; `integrated`; `first` and `last`: where the series begins and ends.
             */
            method: string;
            /**
             * Format: int64
             * @description The register in base units, in the frame of the meter that counts then. For an integrated
             *     power in thousandths of base units.
             */
            register_base: number;
            /** @description In English words. */
            text_en: string;
            /** @description In Chinese words. */
            text_zh: string;
        };
        /** @description A part of a figure. */
        Branch: {
            /**
             * Format: double
             * @description The amount in the commodity's unit.
             */
            amount: number | null;
            /**
             * Format: int64
             * @description Its own amount; null where nothing of it is known.
             */
            amount_base: number | null;
            /**
             * Format: double
             * @description Cost in CNY.
             */
            cost_cny: number | null;
            /** @description Point id, or the start of the shorter span. */
            key: string;
            /** @description Its explanation. */
            link: string;
            /** @description English name. */
            name_en: string;
            /** @description Chinese name. */
            name_zh: string;
            /**
             * Format: int64
             * @description 1 where it is added, −1 where it is taken off.
             */
            sign: number;
        };
        /** @description A budget as at the end of the month. */
        BudgetLine: {
            missing: components["schemas"]["Missing"] | null;
            /** @description This month's part. */
            month: components["schemas"]["BudgetMonth"];
            /** @description The year's state. */
            year: components["schemas"]["BudgetStatus"];
        };
        /** @description One month of a budget. */
        BudgetMonth: {
            /** @description Budgeted. */
            budget: string;
            /** @description `yyyy-mm`. */
            month: string;
            /** @description Used; null where the ledger has nothing. */
            used: string | null;
        };
        /**
         * @description The colour of a budget.
         * @enum {string}
         */
        BudgetState: "green" | "amber" | "red";
        /** @description How far a budget is used. Amounts are decimal strings in `unit`. */
        BudgetStatus: {
            /** @description The year's budget. */
            annual: string;
            /** @description Budgeted for what is over of the year. */
            budgeted_to_date: string;
            colour: components["schemas"]["BudgetState"] | null;
            /** @description Whose. */
            institution: string;
            /** @description Annual − used. */
            left: string | null;
            /** @description `electricity_kwh`, `cost_yuan` or `carbon_tco2`. */
            metric: string;
            /** @description January to December. */
            months: components["schemas"]["BudgetMonth"][];
            /**
             * Format: double
             * @description Used ÷ budgeted to date: above one is faster than planned.
             */
            pace: number | null;
            /** @description `kWh`, `CNY` or `tCO2`. */
            unit: string;
            /** @description Used in the year so far; null where the ledger has nothing. */
            used: string | null;
            /**
             * Format: double
             * @description Used ÷ annual.
             */
            used_share: number | null;
            /**
             * Format: double
             * @description The part of the year that is over.
             */
            year_share: number;
        };
        /** @description Answer of `budgets`. */
        Budgets: {
            /**
             * Format: date-time
             * @description Used is what the ledger knows at this instant.
             */
            as_of: string;
            /** @description By institution and metric. */
            budgets: components["schemas"]["BudgetStatus"][];
            /**
             * Format: int32
             * @description Which year.
             */
            year: number;
        };
        /** @description A building. */
        Building: {
            /**
             * Format: int32
             * @description 用能人数 today.
             */
            energy_users: number | null;
            /**
             * Format: double
             * @description 建筑面积 today.
             */
            floor_area_m2: number | null;
            /** @description Id. */
            id: string;
            /** @description Whose it is. */
            institution: string;
            /** @description English name. */
            name_en: string;
            /** @description Chinese name. */
            name_zh: string;
            /** @description Ids of its points. */
            points: string[];
            /** @description The zone of its days and months. */
            timezone: string;
        };
        /** @description Answer of `buildings`. */
        Buildings: {
            /** @description By id. */
            buildings: components["schemas"]["Building"][];
        };
        /** @description Answer of `carbon`. */
        Carbon: {
            /** @description Every factor that a row used, with its origin. */
            factors: components["schemas"]["FactorEntry"][];
            /**
             * Format: date-time
             * @description First instant that was asked for.
             */
            from: string;
            /** @description By start. */
            rows: components["schemas"]["CarbonRow"][];
            /** @description As asked. */
            scope: string;
            /** @description As asked. */
            span: string;
            /** @description The zone that decides what a day is. */
            timezone: string;
            /**
             * Format: date-time
             * @description First instant that was no longer asked for.
             */
            to: string;
        };
        /** @description What one commodity brings. */
        CarbonPart: {
            /**
             * Format: double
             * @description In `unit`.
             */
            amount: number;
            /**
             * Format: int64
             * @description Exact, in the commodity's base unit.
             */
            amount_base: number;
            /**
             * Format: double
             * @description Null where none counts.
             */
            co2_kg: number | null;
            /** @description Which. */
            commodity: string;
            /**
             * Format: double
             * @description Null where none counts.
             */
            kgce: number | null;
            /** @description Unit of `amount`. */
            unit: string;
        };
        /** @description Standard coal and CO2 of one period. */
        CarbonRow: {
            /** @description The commodities that were metered. */
            by_commodity: components["schemas"]["CarbonPart"][];
            /**
             * Format: double
             * @description Over all commodities that count.
             */
            co2_kg: number | null;
            /**
             * Format: double
             * @description Intervals present ÷ intervals that have ended, over all commodities that count.
             */
            coverage: number | null;
            /**
             * Format: double
             * @description Over all commodities that count.
             */
            kgce: number | null;
            /**
             * Format: date-time
             * @description The period's first instant.
             */
            start: string;
        };
        /**
         * @description Kinds of causes.
         * @enum {string}
         */
        CauseKind: "events" | "revision" | "factors" | "tariffs" | "registry" | "late_readings";
        /** @description That the parts are the whole. */
        Check: {
            /**
             * Format: int64
             * @description The sum of the parts.
             */
            computed_base: number;
            /**
             * Format: int64
             * @description Computed − stated: zero.
             */
            difference_base: number;
            /** @description Of what: `registers`, `terms`, `spans`, `points`, `closed`. */
            of: string;
            /**
             * Format: int64
             * @description The amount as the ledger states it.
             */
            stated_base: number;
            /** @description In English words. */
            text_en: string;
            /** @description In Chinese words. */
            text_zh: string;
        };
        /** @description What a month needs before it may close, and what it has. */
        Checklist: {
            /** @description Whose. */
            institution: string;
            /** @description Item by item. */
            items: components["schemas"]["ChecklistItem"][];
            /** @description `yyyy-mm`. */
            month: string;
            /** @description Whether nothing blocks the close. */
            ready: boolean;
        };
        /** @description One thing that a month needs. */
        ChecklistItem: {
            /** @description Whether the month cannot close without it. */
            blocking: boolean;
            /**
             * @description `month_over`, `settled`, `coverage`, `reviews`, `estimated_share`, `invoices`, `budget` or
             *     `previous_closed`.
             */
            id: string;
            /** @description Why it may pass all the same, in the words of the maker. */
            justification: string | null;
            /** @description What is needed. */
            limit: string | null;
            /** @description Whether it is done. */
            ok: boolean;
            /** @description In English words. */
            text_en: string;
            /** @description In Chinese words. */
            text_zh: string;
            /** @description What is there. */
            value: string | null;
        };
        /** @description A proposal with what it froze. */
        CloseDetail: {
            /** @description The checklist as it stood. */
            checklist: Record<string, never>;
            /** @description The proposal. */
            close: components["schemas"]["CloseView"];
            /** @description The frozen content; null where it cannot be read. */
            content: Record<string, never>;
        };
        /** @description A close as the books know it. */
        CloseInfo: {
            /** @description Who approved; null while nobody has. */
            approved_by: string | null;
            /**
             * Format: date-time
             * @description When it was approved.
             */
            closed_at: string | null;
            /** @description SHA-256 of the frozen content. */
            content_sha256: string;
            /**
             * Format: int64
             * @description Number of the proposal in the books.
             */
            proposal: number;
            /** @description Who proposed. */
            proposed_by: string;
            /**
             * Format: int32
             * @description 1, and one more for each revision.
             */
            revision: number;
        };
        /** @description Where a month stands, and what that means for the figure. */
        CloseNote: {
            /** @description What was adjusted since, frozen and live. */
            adjustments: components["schemas"]["AdjustmentEntry"][];
            close: components["schemas"]["CloseInfo"] | null;
            /**
             * Format: int64
             * @description The amount of the point's month as it was closed.
             */
            closed_base: number | null;
            /**
             * Format: int64
             * @description The amount of the point's month in the ledger now.
             */
            ledger_base: number | null;
            /** @description The month, `yyyy-mm`. */
            month: string;
            /** @description Where it stands. */
            state: components["schemas"]["MonthState"];
        };
        /** @description A proposal to close a month, and what became of it. */
        CloseView: {
            /** @description SHA-256 of the frozen content. */
            content_sha256: string;
            /**
             * Format: date-time
             * @description When the checker decided.
             */
            decided_at: string | null;
            /** @description The checker. */
            decided_by: string | null;
            /** @description Whose month. */
            institution: string;
            /** @description `yyyy-mm`. */
            month: string;
            /**
             * Format: int64
             * @description Its number in the books.
             */
            proposal: number;
            /**
             * Format: date-time
             * @description When.
             */
            proposed_at: string;
            /** @description The maker. */
            proposed_by: string;
            /** @description Why, in the maker's words. */
            reason: string;
            /**
             * Format: int32
             * @description 1, and one more for each revision.
             */
            revision: number;
            /** @description `provisional`, `closed`, `superseded` or `rejected`. */
            state: string;
        };
        /** @description Answer of `closes`. */
        Closes: {
            /** @description Every proposal to close a month and what became of it, in the order of the books. */
            closes: components["schemas"]["CloseView"][];
        };
        /** @description One commodity. */
        CommodityReport: {
            /** @description The amount. */
            amount: components["schemas"]["Measure"];
            /**
             * Format: int64
             * @description The exact amount.
             */
            amount_base: number | null;
            /** @description The integer unit of `amount_base`. */
            base_unit: string;
            /** @description False for what is generated: it enters no total. */
            bought: boolean;
            /** @description The amount by building; they add up to the whole. */
            buildings: components["schemas"]["Part"][];
            /** @description CO2, location-based. */
            co2_kg: components["schemas"]["Measure"];
            /** @description `electricity`, `water`, … */
            commodity: string;
            /** @description By the tariff's prices and surcharges; null where a part of the amount has no price. */
            cost: components["schemas"]["Measure"];
            /**
             * Format: double
             * @description Intervals present ÷ intervals that have ended.
             */
            coverage: number | null;
            /** @description Points that are rented out and metered separately 出租扣减: not in the amount. */
            deducted: components["schemas"]["Part"][];
            /** @description Ids of the factors used; their origin stands under `factors`. */
            factor_ids: string[];
            /** @description Standard coal. */
            kgce: components["schemas"]["Measure"];
            /** @description English name. */
            name_en: string;
            /** @description Chinese name. */
            name_zh: string;
            quality: components["schemas"]["QualityShares"] | null;
            /** @description The amount by sub-item 分项, with what no sub-item meters as `rest`; they add up to the whole. */
            subitems: components["schemas"]["Part"][];
            /** @description Tariff versions used, as `id@from`; what they are stands under `tariffs`. */
            tariff_ids: string[];
        };
        /** @description An invoice and what the ledger says to it. */
        Compared: {
            /** @description The account's id. */
            account: string;
            /** @description Whether the amount is within the tolerance; null where nothing was measured. */
            amount_within: boolean | null;
            /** @description Balances of those points of the account that have children. */
            balances: components["schemas"]["PointBalance"][];
            /**
             * @description What the tariff makes of the ledger's intervals, as a decimal text; null where a line of the
             *     bill is not known.
             */
            bill_cny: string | null;
            /**
             * Format: int64
             * @description Sum of the intervals − sum of the days, in base units. The ledger telescopes: it is 0.
             */
            closure_base: number;
            /** @description Whether the sum is within the tolerance; null where the bill is not known. */
            cost_within: boolean | null;
            /**
             * Format: double
             * @description Intervals of the account's points with an amount ÷ intervals that they are served.
             */
            coverage: number | null;
            /** @description Maximum demand by the ledger in kW, for electricity. */
            demand_kw: string | null;
            /**
             * Format: double
             * @description Ledger − invoice.
             */
            difference: number | null;
            /** @description Bill − invoice, as a decimal text. */
            difference_cny: string | null;
            /**
             * Format: double
             * @description The same as a part of what is invoiced.
             */
            difference_cny_share: number | null;
            /**
             * Format: double
             * @description The same as a part of what is invoiced; null where nothing is invoiced.
             */
            difference_share: number | null;
            /**
             * Format: date
             * @description First local day.
             */
            from: string;
            /**
             * Format: double
             * @description What the ledger has; null where nothing was measured.
             */
            ledger_amount: number | null;
            /** @description The supplier's number of the invoice. */
            number: string;
            /**
             * @description Reviews that wait for a person, begun before the period's end: what follows them is
             *     provisional. Empty where the store has none to tell.
             */
            open_reviews: string[];
            quality: components["schemas"]["QualityShares"] | null;
            /** @description What explains a difference, or what stands in the way of saying so. */
            reasons: components["schemas"]["InvoiceReason"][];
            /** @description The registers on which the amount rests. */
            registers: components["schemas"]["InvoiceRegisters"][];
            /**
             * Format: date
             * @description First day after.
             */
            to: string;
            /**
             * Format: double
             * @description The part by which amount and sum may differ.
             */
            tolerance: number;
            /** @description Unit of the amounts. */
            unit: string;
            /**
             * @description The verdict: the amount is within the tolerance, and so is the sum where it is known; null
             *     where nothing was measured.
             */
            within: boolean | null;
        };
        /** @description A figure of an earlier month, and what changed since. */
        Comparison: {
            /**
             * Format: double
             * @description This figure − that.
             */
            change: number | null;
            /**
             * Format: double
             * @description The change as a part of that.
             */
            change_share: number | null;
            /**
             * Format: double
             * @description How much of the other month was metered.
             */
            coverage: number | null;
            missing: components["schemas"]["Missing"] | null;
            /** @description The other month, `yyyy-mm`. */
            month: string;
            /**
             * Format: double
             * @description Its figure.
             */
            value: number | null;
        };
        /** @description A register. */
        ConfirmedRegister: {
            /**
             * Format: int64
             * @description When it was read, in milliseconds (UTC).
             */
            at_ms: number;
            /** @description Whether a person read it. */
            manual: boolean;
            /**
             * Format: double
             * @description What it showed, in the unit of the amounts.
             */
            register: number;
        };
        /** @description What a virtual point is made of from one date to another. */
        DatedFormula: {
            /**
             * Format: date
             * @description First day.
             */
            from: string;
            /** @description The formula. */
            text: string;
            /**
             * Format: date
             * @description First day after; null is open.
             */
            to: string | null;
        };
        /** @description What a person decided. */
        Decided: {
            /** @description By whom. */
            by: string;
            /**
             * Format: date-time
             * @description When.
             */
            entered_at: string;
            /**
             * Format: int64
             * @description The event in the books.
             */
            event: number;
            /** @description Why. */
            reason: string;
            /**
             * Format: date-time
             * @description The last reading that a `discard` takes out.
             */
            until: string | null;
            /** @description What. */
            verdict: components["schemas"]["Verdict"];
        };
        /** @description A decision of the books. */
        DecisionView: {
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @description By whom. */
            by: string;
            /**
             * Format: int64
             * @description Its number.
             */
            event: number;
            /** @description Why. */
            reason: string;
            /** @description What: the event's kind, or the verdict. */
            verdict: string;
        };
        /** @description The charge for power. The account says which of the two it pays. */
        Demand: {
            /** @description Per kVA of transformer capacity. */
            cny_per_kva_month: string | null;
            /** @description Per kW of the month's maximum demand. */
            cny_per_kw_month: string | null;
            /**
             * Format: int32
             * @description Length of the demand window.
             */
            window_min: number;
        };
        /** @description What happened. */
        Event: {
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @enum {string} */
            kind: "meter_replaced";
            /**
             * Format: double
             * @description Its first register, before ratios.
             */
            new_first: number;
            /** @description The meter that came. */
            new_meter: string;
            /**
             * Format: double
             * @description Its last register, before ratios.
             */
            old_last: number;
            /** @description The meter that left. */
            old_meter: string;
            /** @description Their other registers that were stated. */
            others: components["schemas"]["OtherRegister"][];
            /** @description Where. */
            point: string;
            /** @description Unit of the registers. */
            unit: string | null;
        } | {
            /**
             * Format: date-time
             * @description The first reading in question.
             */
            at: string;
            /** @enum {string} */
            kind: "review_decided";
            /** @description Whose readings. */
            meter: string;
            /** @description Which series. */
            quantity: string;
            /** @description Id of the review. */
            review: string;
            /**
             * Format: date-time
             * @description The last reading that a `discard` takes out.
             */
            until: string | null;
            /** @description What was decided. */
            verdict: components["schemas"]["Verdict"];
        } | {
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @enum {string} */
            kind: "hand_reading";
            /** @description Which meter. */
            meter: string;
            /** @description Which series. */
            quantity: string;
            /** @description Unit of the value. */
            unit: string;
            /**
             * Format: double
             * @description As the register showed it.
             */
            value: number;
        } | {
            /**
             * Format: date-time
             * @description The first.
             */
            from: string;
            /** @enum {string} */
            kind: "readings_voided";
            /** @description Which meter. */
            meter: string;
            /** @description Which series. */
            quantity: string;
            /**
             * Format: date-time
             * @description The last.
             */
            to: string;
        } | {
            /** @description As its supplier wrote it. */
            invoice: components["schemas"]["InvoiceText"];
            /** @enum {string} */
            kind: "invoice_entered";
        } | {
            /** @description SHA-256 of the frozen content. */
            content_sha256: string;
            /** @description Whose. */
            institution: string;
            /** @enum {string} */
            kind: "close_proposed";
            /** @description `yyyy-mm`. */
            month: string;
            /**
             * Format: int32
             * @description 1, and one more for each revision.
             */
            revision: number;
        } | {
            /** @enum {string} */
            kind: "close_approved";
            /**
             * Format: int64
             * @description The proposal's number.
             */
            proposal: number;
        } | {
            /** @enum {string} */
            kind: "close_rejected";
            /**
             * Format: int64
             * @description The proposal's number.
             */
            proposal: number;
        } | {
            /** @enum {string} */
            kind: "undone";
            /**
             * Format: int64
             * @description Its number.
             */
            seq: number;
        };
        /** @description An event as it stands in the books. */
        EventEntry: {
            /** @description By whom. */
            by: string;
            /**
             * Format: date-time
             * @description When it was entered.
             */
            entered_at: string;
            /** @description What. */
            event: components["schemas"]["Event"];
            /** @description Why. */
            reason: string;
            /**
             * Format: int64
             * @description Running number from 1, without holes.
             */
            seq: number;
            /**
             * Format: int64
             * @description The event that took this one back.
             */
            undone_by: number | null;
        };
        /** @description Answer of `events`. */
        Events: {
            /** @description The newest first. */
            events: components["schemas"]["EventEntry"][];
            /**
             * Format: int64
             * @description The number of the last event of the books; 0 where they are empty.
             */
            last_seq: number;
            /**
             * Format: int64
             * @description Where to go on, as `before`, when there may be more.
             */
            next_before: number | null;
        };
        /** @description The numbers on which a finding rests, in the unit of the quantity, before ratios. */
        Evidence: {
            after: components["schemas"]["Register"] | null;
            before: components["schemas"]["Register"] | null;
            /** @description The first reading in question. */
            first: components["schemas"]["Register"];
            /**
             * Format: double
             * @description For a frozen register: the energy that power says has flowed.
             */
            flowed: number | null;
            /** @description The last one. */
            last: components["schemas"]["Register"];
            /**
             * Format: double
             * @description Where the register begins again at zero, where that is known.
             */
            modulus: number | null;
            /**
             * Format: double
             * @description The smallest step that the register shows, where that is known.
             */
            resolution: number | null;
            /**
             * Format: double
             * @description The most that the rating allows between `before` and `first`, where the rating is known.
             */
            rise_max: number | null;
        };
        /** @description Everything on which one figure rests. */
        Explanation: {
            /**
             * Format: double
             * @description The amount.
             */
            amount: number | null;
            /**
             * Format: int64
             * @description The exact amount; null where nothing of the span is known.
             */
            amount_base: number | null;
            /** @description Amount and cost by tariff version and band. */
            bands: components["schemas"]["BandView"][];
            /** @description The integer unit of every `…_base`. */
            base_unit: string;
            /** @description That the parts are the whole. */
            checks: components["schemas"]["Check"][];
            close: components["schemas"]["CloseNote"] | null;
            /**
             * Format: double
             * @description CO2, location-based.
             */
            co2_kg: number | null;
            /** @description What is metered. */
            commodity: string;
            /**
             * Format: double
             * @description Cost in CNY by the prices of bands; null where a part has no price.
             */
            cost_cny: number | null;
            /**
             * Format: date-time
             * @description The first instant after.
             */
            end: string;
            /** @description Factors used. */
            factors: components["schemas"]["FactorEntry"][];
            /** @description Stretches without readings that reach into the span, and how they were filled. */
            fills: components["schemas"]["FillView"][];
            /** @description What was found in the registers within the span, and what became of it. */
            findings: components["schemas"]["FindingView"][];
            /** @description For a virtual point: what it is made of. More than one where the formula changed. */
            formulas: components["schemas"]["FormulaView"][];
            /**
             * Format: int64
             * @description Intervals that have ended.
             */
            intervals_expected: number;
            /**
             * Format: int64
             * @description Intervals with an amount.
             */
            intervals_present: number;
            /**
             * Format: double
             * @description Standard coal.
             */
            kgce: number | null;
            metering: components["schemas"]["MeteringView"] | null;
            /** @description English name. */
            name_en: string;
            /** @description Chinese name of the point, building or institution. */
            name_zh: string;
            /** @description What cannot be told here, and why. */
            notes: components["schemas"]["Note"][];
            /** @description For a total: the points that make it. */
            points: components["schemas"]["Branch"][];
            /** @description Whether a review is open on which the amount may depend. */
            provisional: boolean;
            quality: components["schemas"]["QualityShares"] | null;
            /** @description Those reviews. */
            reviews: components["schemas"]["FindingView"][];
            /** @description What the point is in totals: `counted`, `deducted`, `shared`, `aside`; null for a total. */
            role: string | null;
            /** @description `point:ID`, `building:ID`, `institution:ID` or `all`. */
            scope: string;
            /** @description `interval`, `hour`, `day`, `month` or `year`. */
            span: string;
            /** @description The shorter spans that make this one. */
            spans: components["schemas"]["Branch"][];
            /**
             * Format: date-time
             * @description Its first instant.
             */
            start: string;
            /** @description Tariff versions used. */
            tariffs: components["schemas"]["TariffEntry"][];
            /** @description The zone that decides what the span is. */
            timezone: string;
            /** @description The unit of `amount`. */
            unit: string;
        };
        /** @description A factor and where it comes from. */
        FactorEntry: {
            /** @description Of what. */
            commodity: string;
            /** @description A (official text) to D (derived), U (unverified). */
            confidence: string;
            /**
             * Format: int32
             * @description The year that its data describe: its version.
             */
            data_year: number | null;
            /** @description The document that publishes it. */
            document: string;
            /** @description Id. */
            id: string;
            /** @description `co2`, `coal_calorific` or `coal_equivalent`. */
            kind: string;
            /**
             * Format: date
             * @description When it was published.
             */
            published: string | null;
            /** @description Region it was published for. */
            region: string;
            /** @description Its unit, such as `kgCO2/kWh`. */
            unit: string;
            /**
             * Format: date
             * @description First day on which it applies.
             */
            valid_from: string;
            /**
             * Format: date
             * @description First day on which it no longer applies.
             */
            valid_to: string | null;
            /** @description Value as a decimal string. */
            value: string;
        };
        /** @description A stretch without readings. */
        FillView: {
            /**
             * Format: int64
             * @description What was spread over it.
             */
            amount_base: number;
            /**
             * Format: date-time
             * @description The reading before.
             */
            from: string;
            /** @description `even` or `shape`. */
            rule: string;
            /** @description In English words. */
            text_en: string;
            /** @description In Chinese words. */
            text_zh: string;
            /**
             * Format: date-time
             * @description The reading after.
             */
            to: string;
        };
        /**
         * @description What a finding is.
         * @enum {string}
         */
        FindingKind: "rollover" | "reset" | "replacement" | "jitter" | "glitch" | "fall" | "rise" | "frozen" | "exchange_without_registers" | "out_of_range";
        /** @description A finding. */
        FindingView: {
            /**
             * Format: double
             * @description The first register after it that counts.
             */
            after: number | null;
            /**
             * Format: date-time
             * @description The first reading in question.
             */
            at: string;
            /**
             * Format: double
             * @description The last register before it, before ratios.
             */
            before: number | null;
            decision: components["schemas"]["DecisionView"] | null;
            /**
             * Format: double
             * @description The first register in question.
             */
            first: number;
            /**
             * Format: int64
             * @description Readings that it holds out.
             */
            held_out: number;
            /** @description The id of its review. */
            id: string;
            /** @description Its kind. */
            kind: string;
            /** @description Chinese name of the kind. */
            kind_zh: string;
            /** @description Meter. */
            meter: string;
            /** @description Point. */
            point: string;
            /** @description Series. */
            quantity: string;
            /** @description `by_rule`, `open` or `decided`. */
            state: string;
            /**
             * Format: date-time
             * @description The last one.
             */
            until: string;
        };
        /** @description A formula while it holds. */
        FormulaView: {
            allocation: components["schemas"]["AllocationView"] | null;
            /**
             * Format: date
             * @description First day.
             */
            from: string;
            /** @description Its terms. */
            terms: components["schemas"]["TermView"][];
            /** @description As written, or as the allocation made it. */
            text: string;
            /**
             * Format: date
             * @description First day after.
             */
            to: string | null;
        };
        /** @description Data of the event `health`. */
        Health: {
            aggregator: components["schemas"]["Aggregator"] | null;
            /**
             * Format: date-time
             * @description When this was looked at.
             */
            at: string;
            journal: components["schemas"]["Journal"] | null;
            meters: components["schemas"]["MeterCounts"] | null;
            publisher: components["schemas"]["Publisher"] | null;
            /** @description Whether the store answered the last question. */
            store_answers: boolean;
        };
        /** @description An institution 公共机构. */
        Institution: {
            /** @description Pilot of energy and carbon budgets. */
            budget_pilot: boolean;
            /** @description Ids of its buildings. */
            buildings: string[];
            /**
             * Format: int32
             * @description 用能人数 today.
             */
            energy_users: number | null;
            /**
             * Format: double
             * @description 建筑面积 today.
             */
            floor_area_m2: number | null;
            /** @description Id. */
            id: string;
            /** @description English name. */
            name_en: string;
            /** @description Chinese name. */
            name_zh: string;
            /** @description Province. */
            province: string;
            /** @description Grid region. */
            region: string;
            /** @description The zone of its days and months. */
            timezone: string;
        };
        /** @description Power of an institution. */
        InstitutionPower: {
            /** @description Institution. */
            id: string;
            /** @description Points of the total that measure power. */
            points_expected: number;
            /** @description Points of the total with a fresh reading. */
            points_reporting: number;
            /**
             * Format: double
             * @description The sum of what reports; null where nothing does.
             */
            power_w: number | null;
        };
        /** @description Answer of `institutions`. */
        Institutions: {
            /** @description By id. */
            institutions: components["schemas"]["Institution"][];
            /** @description The site they belong to. */
            site: components["schemas"]["Site"];
        };
        /** @description An invoice and what the ledger says to it. */
        InvoiceEntry: {
            /** @description By whom. */
            by: string;
            comparison: components["schemas"]["Compared"] | null;
            /**
             * Format: date-time
             * @description When it was entered.
             */
            entered_at: string;
            /**
             * Format: int64
             * @description Its number in the books.
             */
            event: number;
            /** @description As its supplier wrote it. */
            invoice: components["schemas"]["InvoiceText"];
            /** @description Why. */
            reason: string;
        };
        /** @description A reason in words. */
        InvoiceReason: {
            /**
             * @description `closure`, `nothing_measured`, `coverage`, `estimated`, `reviews`, `events`, `residual`,
             *     `demand`, `power_factor`, `bill` or `price`
             */
            kind: string;
            /** @description In English. */
            text_en: string;
            /** @description In Chinese. */
            text_zh: string;
        };
        /**
         * @description The last confirmed registers of a point up to the two ends of a period, ratios applied, each
         *     continued over replacements and rollovers as the ledger continues it.
         */
        InvoiceRegisters: {
            before: components["schemas"]["ConfirmedRegister"] | null;
            /** @description Up to the end of the last day that has a ledger. */
            last: components["schemas"]["ConfirmedRegister"];
            /** @description The point. */
            point: string;
        };
        /** @description An invoice as its supplier wrote it. */
        InvoiceText: {
            /** @description The account's id. */
            account: string;
            /** @description In the commodity's unit, as decimal text. */
            amount: string;
            /** @description The sum to pay, as decimal text. */
            cost_cny: string;
            /** @description Maximum demand, where it is invoiced. */
            demand_kw: string | null;
            /**
             * Format: date
             * @description First day, local.
             */
            from: string;
            /** @description The supplier's number of the invoice. */
            number: string;
            /** @description Power factor, where it is invoiced. */
            power_factor: string | null;
            /**
             * Format: date
             * @description First day after.
             */
            to: string;
        };
        /** @description Answer of `invoices`. */
        Invoices: {
            /** @description The newest first. */
            invoices: components["schemas"]["InvoiceEntry"][];
            /**
             * Format: int64
             * @description Where to go on, as `before`, when there may be more.
             */
            next_before: number | null;
        };
        /** @description Answer of `POST invoices`. */
        InvoicesEntered: {
            /** @description One event an invoice, in the order in which they were sent. */
            events: components["schemas"]["EventEntry"][];
        };
        /** @description The journal. */
        Journal: {
            /**
             * Format: int64
             * @description The bound.
             */
            bytes_max: number;
            /** @description True while nothing is acknowledged for want of room. */
            full: boolean;
            /**
             * Format: int64
             * @description Of these, set aside.
             */
            quarantined_total: number;
            /**
             * Format: int64
             * @description Readings received, ever.
             */
            received_total: number;
            /**
             * Format: int64
             * @description Bytes used.
             */
            used_bytes: number;
        };
        /** @description A key of ledger rows. */
        Key: {
            /** @description Institution, building, point, sub-item code, or `rest`. */
            key: string;
            /** @description English name. */
            name_en: string;
            /** @description Chinese name. */
            name_zh: string;
        };
        /** @description The last reading of a quantity. */
        Latest: {
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @description How it was made. */
            quality: components["schemas"]["ReadingQuality"];
            /** @description What was measured. */
            quantity: string;
            /** @description Unit of the value. */
            unit: string;
            /**
             * Format: double
             * @description As the register shows it: CT and PT ratios are not applied.
             */
            value: number;
        };
        /** @description Answer of `ledger`. */
        Ledger: {
            /** @description Unit of `amount_base`. */
            base_unit: string;
            /** @description As asked. */
            by: string | null;
            /** @description As asked. */
            commodity: string;
            /**
             * Format: date-time
             * @description First instant that was asked for.
             */
            from: string;
            /** @description The keys that rows can have, in their order, with names; empty without `by`. */
            keys: components["schemas"]["Key"][];
            /** @description By start and key. A period without a row has no data: it is not zero. */
            rows: components["schemas"]["LedgerRow"][];
            /** @description As asked. */
            scope: string;
            /** @description As asked. */
            span: string;
            /** @description The zone that decides what a day is. */
            timezone: string;
            /**
             * Format: date-time
             * @description First instant that was no longer asked for.
             */
            to: string;
            /** @description Unit of `amount`. */
            unit: string;
        };
        /** @description One figure of the ledger. */
        LedgerRow: {
            /**
             * Format: double
             * @description In `unit`.
             */
            amount: number;
            /**
             * Format: int64
             * @description Exact, in `base_unit`.
             */
            amount_base: number;
            /**
             * Format: double
             * @description CO2, location-based; null where none counts.
             */
            co2_kg: number | null;
            /**
             * @description What it costs by the tariff's energy prices, exact, as decimal text; null where a part of it
             *     has no price. Charges of a month's bill are not in it.
             */
            cost_cny: string | null;
            /**
             * Format: double
             * @description Intervals present ÷ intervals that have ended.
             */
            coverage: number | null;
            /** @description Where `by` is given. */
            key: string | null;
            /**
             * Format: double
             * @description Standard coal; null where none counts.
             */
            kgce: number | null;
            /** @description Whether a finding that waits for a person stands behind it; null where findings are not kept. */
            provisional: boolean | null;
            quality: components["schemas"]["QualityShares"] | null;
            /**
             * Format: date-time
             * @description The period's first instant.
             */
            start: string;
        };
        /** @description What a counter can show, in the unit of its quantity, before ratios. */
        Limits: {
            /**
             * Format: double
             * @description Where it begins again at zero; null where it never does, or it is unknown.
             */
            modulus: number | null;
            /** @description Which counter. */
            quantity: string;
            /**
             * Format: double
             * @description The smallest step that it shows; 0 where unknown.
             */
            resolution: number;
            /**
             * Format: double
             * @description The most that it can rise in an hour by the meter's rating, where that is known.
             */
            rise_max_per_h: number | null;
            /** @description Unit of the numbers. */
            unit: string;
        };
        /** @description A figure with all it is measured by. */
        Measure: {
            /** @description Against the month before 环比. */
            against_last_month: components["schemas"]["Comparison"];
            /** @description Against the same month of the year before 同比. */
            against_last_year: components["schemas"]["Comparison"];
            missing: components["schemas"]["Missing"] | null;
            /**
             * Format: double
             * @description The figure a square metre.
             */
            per_m2: number | null;
            /**
             * Format: double
             * @description The figure a person.
             */
            per_person: number | null;
            /** @description `kWh`, `m3`, `GJ`, `t`, `L`, `kgce`, `kgCO2` or `CNY`. */
            unit: string;
            /**
             * Format: double
             * @description The figure.
             */
            value: number | null;
        };
        /** @description A meter 表计 and how it answers. */
        Meter: {
            /**
             * Format: int64
             * @description Failed polls and refused messages since the collector's start.
             */
            errors_total: number | null;
            /**
             * Format: date
             * @description First local day of service.
             */
            from: string;
            /** @description How it is reached. */
            gateway: string;
            /** @description Id. */
            id: string;
            /**
             * Format: double
             * @description How often it is asked, or expected to speak.
             */
            interval_s: number;
            /** @description The last failure in words. */
            last_error: string | null;
            /**
             * Format: date-time
             * @description When the last good reading was received.
             */
            last_seen: string | null;
            /** @description The last reading of every quantity. */
            latest: components["schemas"]["Latest"][];
            /** @description What its counters can show and how fast they can rise. */
            limits: components["schemas"]["Limits"][];
            /** @description Which point it serves. */
            point: string;
            /** @description Its model. */
            profile: string;
            /** @description `modbus_tcp` or `mqtt`. */
            protocol: string;
            /**
             * Format: int32
             * @description Product of the CT and PT ratios at the start of service; 1 where registers contain them.
             */
            ratio: number;
            /** @description Later ratios, in the order of time. */
            ratio_changes: components["schemas"]["RatioChange"][];
            state: components["schemas"]["MeterState"] | null;
            /**
             * Format: date
             * @description First day after its service; null is open.
             */
            to: string | null;
        };
        /** @description Meters by state. */
        MeterCounts: {
            /** @description Failing, asked less often. */
            backed_off: number;
            /** @description Good. */
            online: number;
            /** @description Silent. */
            silent: number;
            /** @description Not heard of since the start. */
            waiting: number;
        };
        /**
         * @description How a meter answers.
         * @enum {string}
         */
        MeterState: "waiting" | "online" | "backed_off" | "silent";
        /** @description Meters, registers and readings of a metered point. */
        MeteringView: {
            /** @description The meters of the span, in the order of their service. */
            chain: components["schemas"]["ServiceView"][];
            /** @description Whether it is a power that is integrated, as no meter counts. */
            integrated: boolean;
            /** @description Whose meters are read, where the point has none of its own. */
            metered_by: string | null;
            /** @description The series that is read. */
            quantity: string;
            /** @description Readings of the span. */
            readings: components["schemas"]["ReadingCounts"];
            /** @description Runs of known registers: more than one where a series broke. */
            runs: components["schemas"]["RunView"][];
            /** @description What moved the register within the span beside counting. */
            steps: components["schemas"]["StepView"][];
            /** @description Its unit, before ratios. */
            unit: string;
        };
        /** @description Answer of `meters`. */
        Meters: {
            /** @description By id. */
            meters: components["schemas"]["Meter"][];
        };
        /**
         * @description Why a figure is null.
         * @enum {string}
         */
        Missing: "no_data" | "not_counted" | "no_extent" | "zero_base" | "no_tariff" | "month_not_over" | "base_incomplete";
        /**
         * @description Where a month stands.
         * @enum {string}
         */
        MonthState: "open" | "provisional" | "closed" | "superseded";
        /**
         * @description Energy, water and carbon of one institution in one month 公共机构月度碳报告.
         *
         *     A null figure has a `missing` beside it that says why. Shares are parts of one.
         */
        MonthlyReport: {
            /**
             * @description What changed in earlier months after they were closed 以前期间调整. It stands beside the
             *     figures of this month and not in them; budgets count it.
             */
            adjustments: components["schemas"]["AdjustmentEntry"][];
            /** @description Budgets of the year, as at the end of the month. */
            budgets: components["schemas"]["BudgetLine"][];
            close: components["schemas"]["CloseInfo"] | null;
            /** @description How electricity becomes standard coal: `calorific` 当量值 or `equivalent` 等价值. */
            coal_basis: string;
            /** @description One entry a commodity that the institution meters. */
            commodities: components["schemas"]["CommodityReport"][];
            /** @description SHA-256 of the RFC 8785 form of this document without `generated_at` and `content_sha256`. */
            content_sha256: string;
            /** @description Floor area and head count of the month. */
            extent: components["schemas"]["ReportExtent"];
            /** @description Every factor that a figure of this month used. */
            factors: components["schemas"]["FactorEntry"][];
            /**
             * Format: date-time
             * @description The month's first instant.
             */
            from: string;
            /**
             * Format: date-time
             * @description When this copy was made; not part of the content.
             */
            generated_at: string;
            /** @description Whose. */
            institution: components["schemas"]["ReportInstitution"];
            /** @description `yyyy-mm` in local time. */
            month: string;
            /** @description False while the month still runs: figures grow. */
            month_over: boolean;
            /** @description Name and version of this form: `steward.monthly-report/1`. */
            schema: string;
            /** @description Where the month stands. A closed month's figures never change. */
            state: components["schemas"]["MonthState"];
            /** @description Every tariff version that a cost of this month used. */
            tariffs: components["schemas"]["TariffEntry"][];
            /** @description The zone that decides what the month is. */
            timezone: string;
            /**
             * Format: date-time
             * @description The first instant after the month.
             */
            to: string;
            /** @description Over all commodities that are bought. */
            totals: components["schemas"]["Totals"];
        };
        /** @description Body of `POST closes/{proposal}/approve`. */
        NewApproval: {
            /** @description The content that was looked at, as the proposal shows it. */
            content_sha256: string;
            /** @description Why: it stands in the books. */
            reason: string;
        };
        /** @description Body of `POST closes`. */
        NewClose: {
            /** @description Whose month. */
            institution: string;
            /** @description Why missing or differing invoices do not stand in the way; it is frozen in the checklist. */
            justification?: string | null;
            /** @description `yyyy-mm` */
            month: string;
            /** @description Why: it stands in the books. */
            reason: string;
            /** @description True to propose a revision of a month that is closed already. */
            revise?: boolean | null;
        };
        /** @description Body of `POST reviews/{id}/decision`. */
        NewDecision: {
            /** @description Why: it stands in the books. */
            reason: string;
            /**
             * Format: date-time
             * @description For `discard`: the last wrong reading; the last one in question unless told.
             */
            until?: string | null;
            /** @description What the readings in question are. */
            verdict: components["schemas"]["Verdict"];
        };
        /** @description Body of `POST events`. */
        NewEvent: {
            /** @description What. */
            event: components["schemas"]["NewEventKind"];
            /** @description Why: it stands in the books. */
            reason: string;
        };
        /** @description What a person may enter. Reviews, invoices, closes and undoing have addresses of their own. */
        NewEventKind: {
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @enum {string} */
            kind: "meter_replaced";
            /**
             * Format: double
             * @description Its first register.
             */
            new_first: number;
            /** @description The meter that comes. */
            new_meter: string;
            /**
             * Format: double
             * @description Its last register, in the unit of the quantity, before ratios.
             */
            old_last: number;
            /** @description The meter that leaves. */
            old_meter: string;
            /**
             * @description Other registers of these meters that points read, such as `energy_export` for a feed-in.
             *     One that is not stated begins anew.
             */
            others?: components["schemas"]["OtherRegister"][] | null;
            /** @description Where. */
            point: string;
        } | {
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @enum {string} */
            kind: "hand_reading";
            /** @description The meter. */
            meter: string;
            /** @description The series, such as `energy_import`. */
            quantity: components["schemas"]["Quantity"];
            /**
             * Format: double
             * @description What it showed, in the unit of the quantity, before ratios.
             */
            value: number;
        } | {
            /**
             * Format: date-time
             * @description From here, included.
             */
            from: string;
            /** @enum {string} */
            kind: "readings_voided";
            /** @description The meter. */
            meter: string;
            /** @description The series. */
            quantity: components["schemas"]["Quantity"];
            /**
             * Format: date-time
             * @description To here, included.
             */
            to: string;
        };
        /** @description An invoice as its supplier wrote it. Numbers are decimal texts, so that they stay exact. */
        NewInvoice: {
            /** @description The account's id. */
            account: string;
            /** @description In the commodity's unit: kWh, m3, GJ, … */
            amount: string;
            /** @description The sum to pay. */
            cost_cny: string;
            /** @description Maximum demand, where it is invoiced. */
            demand_kw?: string | null;
            /**
             * Format: date
             * @description First day, local.
             */
            from: string;
            /** @description The supplier's number of the invoice; with the account its key. */
            number: string;
            /** @description Power factor, where it is invoiced. */
            power_factor?: string | null;
            /**
             * Format: date
             * @description First day after.
             */
            to: string;
        };
        /** @description Body of `POST invoices`: all of them are entered, or none. */
        NewInvoices: {
            /** @description The invoices. */
            invoices: components["schemas"]["NewInvoice"][];
            /** @description Why: it stands in the books. */
            reason: string;
        };
        /** @description Body of `POST closes/{proposal}/reject`. */
        NewRejection: {
            /** @description Why: it stands in the books. */
            reason: string;
        };
        /** @description Body of `POST events/{seq}/undo`. */
        NewUndo: {
            /** @description Why: it stands in the books. */
            reason: string;
        };
        /** @description A remark in two languages. */
        Note: {
            /** @description English. */
            text_en: string;
            /** @description Chinese. */
            text_zh: string;
        };
        /** @description Another register of meters that were exchanged, in the unit of the quantity, before ratios. */
        OtherRegister: {
            /**
             * Format: double
             * @description The first of the meter that comes.
             */
            new_first: number;
            /**
             * Format: double
             * @description The last of the meter that leaves.
             */
            old_last: number;
            /** @description Which. */
            quantity: components["schemas"]["Quantity"];
        };
        /** @description A part of a commodity's amount. */
        Part: {
            /**
             * Format: double
             * @description The amount in the commodity's unit.
             */
            amount: number | null;
            /**
             * Format: int64
             * @description The exact amount.
             */
            amount_base: number | null;
            /**
             * Format: double
             * @description CO2, location-based.
             */
            co2_kg: number | null;
            /**
             * Format: double
             * @description Cost in CNY.
             */
            cost_cny: number | null;
            /**
             * Format: double
             * @description Intervals present ÷ intervals that have ended.
             */
            coverage: number | null;
            /** @description Building id, sub-item code, point id, or `rest`. */
            key: string;
            /**
             * Format: double
             * @description Standard coal.
             */
            kgce: number | null;
            missing: components["schemas"]["Missing"] | null;
            /** @description English name. */
            name_en: string;
            /** @description Chinese name. */
            name_zh: string;
            quality: components["schemas"]["QualityShares"] | null;
            /**
             * Format: double
             * @description Its share; the shares of all parts add up to one. Null where a residual is negative, and of
             *     what is deducted.
             */
            share: number | null;
        };
        /** @description A point 计量点. */
        Point: {
            /** @description The integer unit of its ledger. */
            base_unit: string;
            /** @description Where it is. */
            building: string;
            /** @description What is metered. */
            commodity: string;
            /** @description The counter that makes its ledger. */
            counter: string;
            /** @description What a virtual point is made of, by date. */
            formulas: components["schemas"]["DatedFormula"][];
            /** @description Id. */
            id: string;
            /** @description Whose it is. */
            institution: string;
            /** @description The point on whose meters it stands, where it has none of its own. */
            metered_by: string | null;
            /** @description Ids of its meters in the order of their service. */
            meters: string[];
            /** @description English name. */
            name_en: string;
            /** @description Chinese name. */
            name_zh: string;
            /** @description The point that meters this one too. */
            parent: string | null;
            /** @description What it is in totals: `counted`, `deducted`, `shared` or `aside`. */
            role: string;
            /** @description Sub-item code 分项. */
            subitem: string | null;
            /** @description The unit of its amounts. */
            unit: string;
            /** @description What a virtual point is made of today, or last; null for a metered point. */
            virtual: string | null;
        };
        /** @description The balance of a point over the period. */
        PointBalance: {
            /** @description Its balance. */
            balance: components["schemas"]["BalancePeriod"];
            /** @description The point. */
            point: string;
        };
        /** @description Power of a point. */
        PointPower: {
            /**
             * Format: date-time
             * @description When it was measured.
             */
            at: string | null;
            /** @description Point. */
            id: string;
            /**
             * Format: double
             * @description CT and PT ratios applied; null where the last reading is older than three intervals.
             */
            power_w: number | null;
        };
        /** @description Answer of `points`. */
        Points: {
            /** @description By id. */
            points: components["schemas"]["Point"][];
        };
        /** @description Data of the event `power`. */
        Power: {
            /**
             * Format: date-time
             * @description When this was looked at.
             */
            at: string;
            /** @description Electric power drawn from the grid, by institution. */
            institutions: components["schemas"]["InstitutionPower"][];
            /** @description Power of every point that measures it. */
            points: components["schemas"]["PointPower"][];
        };
        /** @description Power-factor adjustment. */
        PowerFactor: {
            /** @description The standard. */
            standard: string;
            /** @description From the highest power factor down. */
            table: components["schemas"]["PowerFactorStep"][];
        };
        /** @description One row of the table. */
        PowerFactorStep: {
            /** @description Share by which the bill changes; below zero is a reward. */
            change: string;
            /** @description Lowest power factor of the row. */
            from: string;
        };
        /** @description What went wrong, and what would be right. */
        Problem: {
            /** @description Its allowed values, or the allowed parameters. */
            allowed?: string[] | null;
            /** @description What happened this time. */
            detail: string;
            /** @description What to do. */
            hint?: string | null;
            /** @description The parameter that is wrong. */
            parameter?: string | null;
            /** @description Everything that is wrong in what was sent. */
            refusals?: components["schemas"]["Refusal"][] | null;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description The kind in words. */
            title: string;
            /** @description The kind of problem, as a permanent name: `urn:steward:problem:invalid-parameter`, … */
            type: string;
        };
        /** @description The publisher to InfluxDB. */
        Publisher: {
            /**
             * Format: int64
             * @description Age of the oldest.
             */
            lag_s: number;
            /**
             * Format: int64
             * @description Lines confirmed.
             */
            published_total: number;
            /**
             * Format: int64
             * @description Lines refused for good.
             */
            quarantined_total: number;
            /**
             * Format: int64
             * @description Lines that wait.
             */
            queued: number;
            /** @description Why it waits. */
            trouble: string | null;
        };
        /** @description How an amount is known: parts of one, which add up to one. */
        QualityShares: {
            /**
             * Format: double
             * @description Share from outages, of which only the sum is known.
             */
            estimated: number;
            /**
             * Format: double
             * @description Share from readings further apart than an interval.
             */
            interpolated: number;
            /**
             * Format: double
             * @description Share from readings that a person took.
             */
            manual: number;
            /**
             * Format: double
             * @description Share from readings close to both ends of their intervals.
             */
            measured: number;
        };
        /**
         * @description A measured quantity. Its words are put into the contract from the model.
         * @enum {string}
         */
        Quantity: "energy_import" | "energy_export" | "volume" | "heat_energy" | "cooling_energy" | "mass" | "fuel_volume" | "reactive_energy_import" | "reactive_energy_export" | "power" | "voltage_l1" | "voltage_l2" | "voltage_l3" | "current_l1" | "current_l2" | "current_l3" | "frequency" | "power_factor" | "flow" | "thermal_power" | "temperature_supply" | "temperature_return";
        /** @description A ratio from a day on. */
        RatioChange: {
            /**
             * Format: date
             * @description First local day.
             */
            from: string;
            /**
             * Format: int32
             * @description Product of the CT and PT ratios.
             */
            ratio: number;
        };
        /** @description How many readings of the span count. */
        ReadingCounts: {
            /**
             * Format: int64
             * @description Those among the counted that a person read.
             */
            by_hand: number;
            /**
             * Format: int64
             * @description Those that count.
             */
            counted: number;
            /**
             * Format: int64
             * @description Those that are held out, as the findings say.
             */
            held_out: number;
            /**
             * Format: int64
             * @description All that are stored or were entered by hand.
             */
            total: number;
            /**
             * Format: int64
             * @description Those that the books void.
             */
            voided: number;
        };
        /**
         * @description How a reading was made.
         * @enum {string}
         */
        ReadingQuality: "good" | "receive_time" | "manual";
        /** @description One reading. */
        ReadingRow: {
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @description How it was made. */
            quality: components["schemas"]["ReadingQuality"];
            /**
             * Format: double
             * @description As the register shows it.
             */
            value: number;
        };
        /** @description A reading that counts. */
        ReadingView: {
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @description Whether a person read it. */
            manual: boolean;
            /** @description Meter. */
            meter: string;
            /**
             * Format: int32
             * @description What multiplies it.
             */
            ratio: number;
            /**
             * Format: int64
             * @description The register in base units, in its own frame.
             */
            register_base: number;
            /**
             * Format: double
             * @description What it showed, before ratios; null for a register that a replacement states.
             */
            value: number | null;
        };
        /** @description Answer of `readings`. */
        Readings: {
            /** @description Which meter. */
            meter: string;
            /**
             * Format: date-time
             * @description Where to go on, as `from`, when there is more than `limit`.
             */
            next_from: string | null;
            /** @description What was measured. */
            quantity: string;
            /**
             * Format: int32
             * @description Product of the CT and PT ratios by which values are multiplied to become amounts, at the end
             *     of what was asked for.
             */
            ratio: number;
            /** @description In the order of time. */
            rows: components["schemas"]["ReadingRow"][];
            /** @description The zone of the times. */
            timezone: string;
            /** @description Unit of the values. */
            unit: string;
        };
        /** @description Answer of `/readyz`. */
        Ready: {
            /** @description Whether work can be done. */
            ready: boolean;
            /** @description Why not. */
            reasons: string[];
        };
        /** @description One reason why an event does not enter the books. */
        Refusal: {
            /** @description What would have been right. */
            expected: string;
            /** @description What to do; empty where there is nothing to add. */
            hint: string;
            /** @description Which value: a field of the event such as `old_last`, with its line where it came in a file. */
            place: string;
            /** @description The value as it was given. */
            value: string;
        };
        /** @description A register at an instant. */
        Register: {
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /**
             * Format: double
             * @description What it showed.
             */
            value: number;
        };
        /** @description Floor area and head count, averaged over the days of the month where they change within it. */
        ReportExtent: {
            /**
             * Format: double
             * @description 用能人数
             */
            energy_users: number | null;
            /**
             * Format: double
             * @description 建筑面积
             */
            floor_area_m2: number | null;
            missing: components["schemas"]["Missing"] | null;
        };
        /** @description The institution of a report. */
        ReportInstitution: {
            /** @description Id. */
            id: string;
            /** @description English name. */
            name_en: string;
            /** @description Chinese name. */
            name_zh: string;
            /** @description Province. */
            province: string;
            /** @description Grid region. */
            region: string;
        };
        /** @description A finding: something in a meter's registers that is not plain counting. */
        Review: {
            /**
             * Format: date-time
             * @description The first reading in question.
             */
            at: string;
            decision: components["schemas"]["Decided"] | null;
            /** @description Why. */
            evidence: components["schemas"]["Evidence"];
            /**
             * Format: int64
             * @description Readings that it holds out of the ledger.
             */
            held_out: number;
            /** @description `meter~quantity~milliseconds` */
            id: string;
            /** @description Whose. */
            institution: string | null;
            /** @description What it is, or what it most likely is. */
            kind: components["schemas"]["FindingKind"];
            /** @description Which meter. */
            meter: string;
            /** @description Where. */
            point: string;
            /** @description English name of the point. */
            point_name_en: string;
            /** @description Chinese name of the point. */
            point_name_zh: string;
            /** @description Which series. */
            quantity: string;
            /**
             * Format: int32
             * @description By what registers are multiplied to become amounts.
             */
            ratio: number;
            /** @description Who settled it. */
            state: components["schemas"]["ReviewState"];
            /** @description Unit of the registers. */
            unit: string;
            /**
             * Format: date-time
             * @description The last one.
             */
            until: string;
            /** @description What a person may decide. */
            verdicts: components["schemas"]["Verdict"][];
        };
        /**
         * @description Who settled a finding.
         * @enum {string}
         */
        ReviewState: "open" | "decided" | "rule";
        /** @description Answer of `reviews`. */
        Reviews: {
            /** @description Whether there are more than `limit`. */
            more: boolean;
            /**
             * Format: int64
             * @description Findings that wait for a person, on the whole site.
             */
            open_total: number;
            /** @description By time of the first reading in question. */
            reviews: components["schemas"]["Review"][];
        };
        /** @description A run of known registers within the span: its amount is end − start − what moved the frame. */
        RunView: {
            /**
             * Format: int64
             * @description Its amount.
             */
            amount_base: number;
            /** @description Where it ends. */
            end: components["schemas"]["BoundaryView"];
            /**
             * Format: int64
             * @description Σ of the rebases within it.
             */
            rebased_base: number;
            /** @description Where it begins. */
            start: components["schemas"]["BoundaryView"];
        };
        /** @description Which band holds when, in the months and on the kinds of day named. */
        Schedule: {
            /** @description `workday`, `restday`, `holiday` */
            days: string[];
            /** @description 1 to 12. */
            months: number[];
            /** @description The whole day, in its order. */
            runs: components["schemas"]["BandRun"][];
        };
        /** @description A meter's time at the point with one ratio. */
        ServiceView: {
            /**
             * Format: int64
             * @description The replacement's number in the books.
             */
            event: number | null;
            /**
             * Format: date-time
             * @description First instant.
             */
            from: string;
            /** @description How it follows the one before: `anew`, `replaced` or `ratio`. */
            link: string;
            /** @description Meter. */
            meter: string;
            /**
             * Format: double
             * @description Where the register begins again at zero.
             */
            modulus: number | null;
            /**
             * Format: double
             * @description The first register of this one.
             */
            new_first: number | null;
            /**
             * Format: double
             * @description The last register of the meter before.
             */
            old_last: number | null;
            /** @description Its profile. */
            profile: string;
            /**
             * Format: int32
             * @description The product of its transformers' ratios that multiplies the register.
             */
            ratio: number;
            /**
             * Format: double
             * @description The smallest step that the register shows.
             */
            resolution: number;
            /**
             * Format: double
             * @description The most that it can rise in an hour.
             */
            rise_max_per_h: number | null;
            /** @description `primary`: registers contain the ratios; `secondary`: the ratio multiplies them. */
            side: string;
            /**
             * Format: date-time
             * @description First instant after.
             */
            to: string | null;
        };
        /** @description The site. */
        Site: {
            /** @description Id. */
            id: string;
            /** @description English name. */
            name_en: string;
            /** @description Chinese name. */
            name_zh: string;
            /** @description The zone of buildings that name none. */
            timezone: string;
        };
        /** @description What moved the register's frame, or broke its series. */
        StepView: {
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @description `rollover`, `reset`, `replacement`, `ratio`, `restart` or another finding's word. */
            kind: string;
            /**
             * Format: int64
             * @description By how much the registers before lie higher in the frame of those after; null for a break.
             */
            rebased_base: number | null;
            /** @description In English words. */
            text_en: string;
            /** @description In Chinese words. */
            text_zh: string;
        };
        /** @description A surcharge per unit. */
        Surcharge: {
            /** @description Per unit. */
            cny: string;
            /** @description English name. */
            name_en: string;
            /** @description Chinese name. */
            name_zh: string;
        };
        /** @description A tariff and its dated versions. */
        Tariff: {
            /** @description What is sold. */
            commodity: string;
            /** @description Id. */
            id: string;
            /** @description English name. */
            name_en: string;
            /** @description Chinese name. */
            name_zh: string;
            /** @description Prices are per this unit. */
            unit: string;
            /** @description Oldest first, without overlap. */
            versions: components["schemas"]["TariffVersion"][];
        };
        /** @description A version of a tariff and where it comes from. */
        TariffEntry: {
            /** @description Of what. */
            commodity: string;
            /** @description A (official text) to D (derived), U (unverified). */
            confidence: string;
            /** @description `id@from`. */
            id: string;
            /** @description English name. */
            name_en: string;
            /** @description Chinese name. */
            name_zh: string;
            /** @description The document that sets it. */
            source: string;
            /**
             * Format: date
             * @description First day on which it applies.
             */
            valid_from: string;
            /**
             * Format: date
             * @description First day on which it no longer applies.
             */
            valid_to: string | null;
        };
        /** @description What holds from one date to another. Prices and shares are decimal texts. */
        TariffVersion: {
            /** @description A (official text) to D (derived), U (unverified). */
            confidence: string;
            demand: components["schemas"]["Demand"] | null;
            /** @description The energy price of every band, surcharges not included, dearest band first. */
            energy: components["schemas"]["BandPrice"][];
            /** @description A fixed charge a month. */
            fixed_cny_month: string;
            /**
             * Format: date
             * @description First day.
             */
            from: string;
            power_factor: components["schemas"]["PowerFactor"] | null;
            /** @description Which band holds when. */
            schedules: components["schemas"]["Schedule"][];
            /** @description The document that sets it. */
            source: string;
            /** @description Added to every unit. */
            surcharges: components["schemas"]["Surcharge"][];
            tiers: components["schemas"]["Tiers"] | null;
            /**
             * Format: date
             * @description First day after; null is open.
             */
            to: string | null;
        };
        /** @description Answer of `tariffs`. */
        Tariffs: {
            /** @description By id. */
            accounts: components["schemas"]["Account"][];
            /** @description By id. */
            tariffs: components["schemas"]["Tariff"][];
        };
        /** @description One term. */
        TermView: {
            /**
             * Format: int64
             * @description What it gives to the amount, exactly.
             */
            amount_base: number;
            /** @description Its coefficient as a decimal. */
            coefficient: string;
            /** @description The explanation of the point. */
            link: string;
            /** @description English name. */
            name_en: string;
            /** @description Chinese name. */
            name_zh: string;
            /** @description Point. */
            point: string;
        };
        /** @description One step. */
        TierStep: {
            /** @description What a unit costs more than in the first step. */
            extra_cny: string;
            /**
             * Format: double
             * @description From this amount on, in the tariff's unit.
             */
            from: number;
        };
        /** @description Progressive steps. */
        Tiers: {
            /** @description In rising order. */
            steps: components["schemas"]["TierStep"][];
            /** @description Whether steps count the year's amount; the month's otherwise. */
            yearly: boolean;
        };
        /** @description Over all commodities that are bought. Solar generation is not among them. */
        Totals: {
            /** @description CO2, location-based 碳排放. */
            co2_kg: components["schemas"]["Measure"];
            /**
             * @description Energy by the tariffs' prices and surcharges 能源费用, without what belongs to a month's bill.
             *     Null where a part of the energy has no price.
             */
            cost: components["schemas"]["Measure"];
            /**
             * Format: double
             * @description Intervals present ÷ intervals that have ended, over all points of the totals.
             */
            coverage: number | null;
            /** @description Standard coal 综合能耗. */
            kgce: components["schemas"]["Measure"];
            quality: components["schemas"]["QualityShares"] | null;
        };
        /**
         * @description Verdicts about a finding.
         * @enum {string}
         */
        Verdict: "accept" | "rollover" | "restart" | "discard";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    adjustments: {
        parameters: {
            query: {
                /** @description Whose */
                institution: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Adjustments"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    balance: {
        parameters: {
            query: {
                /** @description Which point */
                point: string;
                /** @description `day` unless told */
                span?: "day" | "month";
                /** @description Periods from this one on: RFC 3339, or a local date */
                from?: string;
                /** @description Periods before this one: RFC 3339, or a local date. At most 366 days after `from` for days */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Balance"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    budgets: {
        parameters: {
            query?: {
                /** @description The running year unless told */
                year?: number;
                /** @description Only this institution's */
                institution?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Budgets"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    buildings: {
        parameters: {
            query?: {
                /** @description Only this institution's */
                institution?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Buildings"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    carbon: {
        parameters: {
            query?: {
                /** @description `all` (unless told), `institution:ID`, `building:ID` or `point:ID` */
                scope?: string;
                /** @description `interval` (15 minutes), `hour`, `day` (unless told), `month` or `year` */
                span?: string;
                /** @description Rows start here or later: RFC 3339, or a local date */
                from?: string;
                /** @description Rows start before: RFC 3339, or a local date */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Carbon"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    closes: {
        parameters: {
            query?: {
                /** @description Only this institution's */
                institution?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Closes"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    propose_close: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewClose"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventEntry"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    checklist: {
        parameters: {
            query: {
                /** @description Whose month */
                institution: string;
                /** @description `yyyy-mm` in local time */
                month: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Checklist"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    close: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Number of the proposal in the books */
                proposal: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CloseDetail"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    approve_close: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Number of the proposal in the books */
                proposal: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewApproval"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventEntry"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reject_close: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Number of the proposal in the books */
                proposal: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewRejection"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventEntry"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    events: {
        parameters: {
            query?: {
                /** @description Events with a smaller number; the newest unless told */
                before?: number;
                /** @description The most events; 100 unless told */
                limit?: number;
                /** @description Only events of this kind */
                kind?: "meter_replaced" | "review_decided" | "hand_reading" | "readings_voided" | "invoice_entered" | "close_proposed" | "close_approved" | "close_rejected" | "undone";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Events"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    enter_event: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewEvent"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventEntry"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    undo_event: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Number of the event */
                seq: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewUndo"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventEntry"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    explain: {
        parameters: {
            query: {
                /** @description Which point; short for `scope=point:ID` */
                point?: string;
                /** @description `all`, `institution:ID`, `building:ID` or `point:ID`, where no `point` is given */
                scope?: string;
                /** @description Needed unless the scope is a point */
                commodity?: string;
                /** @description `interval` (15 minutes), `hour`, `day` (unless told), `month` or `year` */
                span?: string;
                /** @description The first instant of the period: RFC 3339, or a local date */
                start: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Explanation"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    institutions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Institutions"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    invoices: {
        parameters: {
            query?: {
                /** @description Only this account's */
                account?: string;
                /** @description Only this institution's */
                institution?: string;
                /** @description Invoices with a smaller number in the books; the newest unless told */
                before?: number;
                /** @description The most invoices; 24 unless told */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Invoices"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    enter_invoices: {
        parameters: {
            query?: {
                /** @description For a CSV file: why it is entered; JSON has a member for it */
                reason?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description As JSON, or as CSV in UTF-8 whose first line is `account,number,from,to,amount,cost_cny,demand_kw,power_factor`, the last two if needed */
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewInvoices"];
                "text/csv": string;
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvoicesEntered"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ledger: {
        parameters: {
            query: {
                /** @description `all` (unless told), `institution:ID`, `building:ID` or `point:ID` */
                scope?: string;
                /** @description `electricity`, `water`, `natural_gas`, `heat`, `solar_generation`, … */
                commodity: string;
                /** @description `interval` (15 minutes), `hour`, `day` (unless told), `month` or `year` */
                span?: string;
                /** @description Rows start here or later: RFC 3339, or a local date */
                from?: string;
                /** @description Rows start before: RFC 3339, or a local date. At most 366 days after `from` for intervals and hours, ten years for days */
                to?: string;
                /** @description `institution`, `building`, `point` or `subitem`: one row a key; of a point its children and the `rest` */
                by?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ledger"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    live: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    meters: {
        parameters: {
            query?: {
                /** @description Only this institution's */
                institution?: string;
                /** @description Only this building's */
                building?: string;
                /** @description Only those that serve or served this point */
                point?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Meters"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    points: {
        parameters: {
            query?: {
                /** @description Only this institution's */
                institution?: string;
                /** @description Only this building's */
                building?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Points"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readings: {
        parameters: {
            query: {
                /** @description Which meter */
                meter: string;
                /** @description What was measured, such as `energy_import` or `power` */
                quantity: string;
                /** @description First instant: RFC 3339, or a local date; a day before `to` unless told */
                from?: string;
                /** @description First instant after: RFC 3339, or a local date; now unless told. At most 366 days after `from` */
                to?: string;
                /** @description The most rows; 10000 unless told */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readings"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    monthly: {
        parameters: {
            query?: {
                /** @description `json` (unless told) or `csv`: UTF-8 with BOM, for spreadsheets */
                format?: string;
            };
            header?: never;
            path: {
                /** @description Whose */
                institution: string;
                /** @description `yyyy-mm` in local time */
                month: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MonthlyReport"];
                    "text/csv": string;
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reviews: {
        parameters: {
            query?: {
                /** @description `open` unless told */
                state?: "open" | "decided" | "rule" | "all";
                /** @description Only this point's */
                point?: string;
                /** @description Only this meter's */
                meter?: string;
                /** @description Only findings of this kind */
                kind?: "rollover" | "reset" | "replacement" | "jitter" | "glitch" | "fall" | "rise" | "frozen" | "exchange_without_registers" | "out_of_range";
                /** @description Findings that end here or later: RFC 3339, or a local date */
                from?: string;
                /** @description Findings that begin before: RFC 3339, or a local date */
                to?: string;
                /** @description The most findings; 500 unless told */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reviews"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    decide_review: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the review: `meter~quantity~milliseconds` */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewDecision"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventEntry"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    tariffs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tariffs"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    bill: {
        parameters: {
            query: {
                /** @description Whose: an account of `GET /api/v1/tariffs` */
                account: string;
                /** @description `yyyy-mm` in local time */
                month: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountBill"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description What was wrong, and what is allowed */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    healthz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Alive"];
                };
            };
        };
    };
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
        };
    };
    readyz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ready"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ready"];
                };
            };
        };
    };
}
