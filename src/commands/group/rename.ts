import { GROUP, renameCommand } from '../../cli/declared-commands.js';

export default renameCommand(GROUP);
