// ECharts with only the parts that the page uses, and the axes as the page draws them.

import { BarChart, LineChart, PieChart } from 'echarts/charts'
import {
  AriaComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TooltipComponent,
} from 'echarts/components'
import * as echarts from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'

import type { Palette } from './palette'

echarts.use([
  AriaComponent,
  BarChart,
  GridComponent,
  LegendComponent,
  LineChart,
  MarkLineComponent,
  PieChart,
  SVGRenderer,
  TooltipComponent,
])

export { echarts }

/** Charts grow with the page: a wall of 3840 pixels sets a larger root font. 15 px is 1920 wide. */
export function px(size: number): number {
  return Math.round((size * parseFloat(getComputedStyle(document.documentElement).fontSize)) / 15)
}

export type ChartOption = Record<string, unknown>

export const FONT =
  '"DIN Alternate","Bahnschrift","PingFang SC","HarmonyOS Sans SC","Microsoft YaHei","Noto Sans CJK SC","Source Han Sans SC","WenQuanYi Micro Hei",system-ui,sans-serif'

export function baseOption(palette: Palette, summary: string): ChartOption {
  return {
    animationDuration: 300,
    animationDurationUpdate: 300,
    textStyle: { fontFamily: FONT, color: palette.ink },
    aria: { enabled: true, label: { description: summary } },
    tooltip: {
      trigger: 'axis',
      confine: true,
      backgroundColor: palette.sheet,
      borderColor: palette.edge,
      borderWidth: 1,
      padding: [8, 10],
      textStyle: { color: palette.ink, fontSize: px(12), fontFamily: FONT },
      axisPointer: { lineStyle: { color: palette.edge }, shadowStyle: { color: palette.wash, opacity: 0.5 } },
      extraCssText: 'box-shadow:none;border-radius:2px',
    },
  }
}

export function legend(palette: Palette, names: string[], right = 0): ChartOption {
  return {
    data: names,
    top: 0,
    right,
    itemWidth: px(14),
    itemHeight: px(8),
    itemGap: px(16),
    textStyle: { color: palette.soft, fontSize: px(12) },
    inactiveColor: palette.edge,
  }
}

export function categoryAxis(palette: Palette, data: string[], extra: ChartOption = {}): ChartOption {
  return {
    type: 'category',
    data,
    axisTick: { show: false },
    axisLine: { lineStyle: { color: palette.edge } },
    axisLabel: { color: palette.soft, fontSize: px(11) },
    ...extra,
  }
}

export function valueAxis(palette: Palette, name: string, extra: ChartOption = {}): ChartOption {
  return {
    type: 'value',
    name,
    nameTextStyle: { color: palette.soft, fontSize: px(11), align: 'left', padding: [0, 0, 0, -px(30)] },
    nameGap: px(10),
    splitNumber: 4,
    axisLabel: { color: palette.soft, fontSize: px(11) },
    splitLine: { lineStyle: { color: palette.rule } },
    ...extra,
  }
}
