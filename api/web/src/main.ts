import { createApp } from 'vue'

import App from './App.vue'
import { startLanguage } from './i18n'
import { start, startTheme } from './state'
import './styles.css'

startLanguage()
startTheme()
start()
createApp(App).mount('#app')
