import { DOMAIN, setCommand } from '../../cli/declared-commands.js';

export default setCommand(DOMAIN);
