import { GROUP, listCommand } from '../../cli/declared-commands.js';

export default listCommand(GROUP);
