import { addCommand, DOMAIN } from '../../cli/declared-commands.js';

export default addCommand(DOMAIN);
