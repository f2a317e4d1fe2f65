import { createApp } from 'vue'

import App from './App.vue'
import { startLanguage } from './i18n'
import { startReviews } from './reviews'
import { startRoute } from './route'
import { start, startTheme } from './state'
import './styles.css'
import './styles/ledger.css'
import './styles/drawer.css'
import './styles/pages.css'
import './styles/reviews.css'
import './styles/desk.css'
import './styles/invoices.css'

startLanguage()
startTheme()
startRoute()
start()
startReviews()
createApp(App).mount('#app')
