// The pages that are fetched when the first of them is to be shown: what a visit needs to its first chart is in main.js.

import { offerPages } from './core/later.js'
import { Keys } from './pages/keys.js'
import { Operations } from './pages/operations/page.js'
import { Transfer } from './pages/transfer/page.js'
import { Users } from './pages/users.js'

offerPages({ import: Transfer, keys: Keys, operations: Operations, users: Users })
