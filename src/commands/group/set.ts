import { GROUP, setCommand } from '../../cli/declared-commands.js';

export default setCommand(GROUP);
