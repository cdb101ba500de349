/* SPDX-License-Identifier: Apache-2.0 */
/* Where sekishod is, for what the command line has it do when no daemon answers. */
#ifndef SEKISHO_MGMT_CLI_BOX_DAEMON_PATH_H
#define SEKISHO_MGMT_CLI_BOX_DAEMON_PATH_H

#include <limits.h>
#include <stdbool.h>

/* In the folder of this program, or in the one for the administrator's beside it. False: in neither. */
bool daemon_path(char ret[PATH_MAX]);

#endif
