import { DOMAIN, renameCommand } from '../../cli/declared-commands.js';

export default renameCommand(DOMAIN);
