import { DOMAIN, listCommand } from '../../cli/declared-commands.js';

export default listCommand(DOMAIN);
