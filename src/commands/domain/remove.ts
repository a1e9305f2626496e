import { DOMAIN, removeCommand } from '../../cli/declared-commands.js';

export default removeCommand(DOMAIN);
