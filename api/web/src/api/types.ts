// Made by `npm run types` from api/openapi.json. Do not edit.

export interface paths {
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
        /** Events `power` (every 2 s, data of schema `Power`) and `health` (every 10 s, schema `Health`). */
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
            /**
             * Format: double
             * @description Intervals present ÷ intervals that have ended.
             */
            coverage: number | null;
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
            quality: components["schemas"]["QualityShares"] | null;
            /**
             * Format: date-time
             * @description The period's first instant.
             */
            start: string;
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
            /** @description `kWh`, `m3`, `GJ`, `t`, `L`, `kgce` or `kgCO2`. */
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
            /** @description Which point it serves. */
            point: string;
            /** @description Its model. */
            profile: string;
            /** @description `modbus_tcp` or `mqtt`. */
            protocol: string;
            state: components["schemas"]["MeterState"] | null;
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
         * @description Energy, water and carbon of one institution in one month 公共机构月度碳报告.
         *
         *     A null figure has a `missing` beside it that says why. Shares are parts of one.
         */
        MonthlyReport: {
            /** @description Budgets of the year, as at the end of the month. */
            budgets: components["schemas"]["BudgetLine"][];
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
             * @description Intervals present ÷ intervals that have ended.
             */
            coverage: number | null;
            /** @description Building id, sub-item code, or `rest`. */
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
             * @description Its share; the shares of all parts add up to one. Null where a residual is negative.
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
            /** @description Id. */
            id: string;
            /** @description Whose it is. */
            institution: string;
            /** @description Ids of its meters in the order of their service. */
            meters: string[];
            /** @description English name. */
            name_en: string;
            /** @description Chinese name. */
            name_zh: string;
            /** @description The point that meters this one too. */
            parent: string | null;
            /** @description Sub-item code 分项. */
            subitem: string | null;
            /** @description The unit of its amounts. */
            unit: string;
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
             * @description Share from readings close to both ends of their intervals.
             */
            measured: number;
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
             * @description Product of the CT and PT ratios by which values are multiplied to become amounts.
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
        /** @description Over all commodities that are bought. Solar generation is not among them. */
        Totals: {
            /** @description CO2, location-based 碳排放. */
            co2_kg: components["schemas"]["Measure"];
            /**
             * Format: double
             * @description Intervals present ÷ intervals that have ended, over all points of the totals.
             */
            coverage: number | null;
            /** @description Standard coal 综合能耗. */
            kgce: components["schemas"]["Measure"];
            quality: components["schemas"]["QualityShares"] | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
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
