import vue from '@vitejs/plugin-vue'
import { loadEnv } from 'vite'
import { defineConfig } from 'vitest/config'

// Which running program `npm run dev` asks.
const program = loadEnv('', '.', 'STEWARD_').STEWARD_URL ?? 'http://127.0.0.1:8080'

// The page is served from the root of the program's own port, and wall screens run old Chromium
// kernels: the output is lowered to what Chrome 87 understands.
export default defineConfig({
  plugins: [vue()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'chrome87',
    cssTarget: 'chrome87',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [{ name: 'charts', test: /node_modules[\\/](echarts|zrender)/ }],
        },
      },
    },
  },
  server: {
    proxy: {
      '/api/v1': program,
    },
  },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
})
