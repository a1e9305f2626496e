import { GROUP, removeCommand } from '../../cli/declared-commands.js';

export default removeCommand(GROUP);
