import { addCommand, GROUP } from '../../cli/declared-commands.js';

export default addCommand(GROUP);
