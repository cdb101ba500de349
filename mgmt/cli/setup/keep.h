/* SPDX-License-Identifier: Apache-2.0 */
/* What lies where a text is to be written gets another name, and none that was kept before is lost by it. */
#ifndef SEKISHO_MGMT_CLI_SETUP_KEEP_H
#define SEKISHO_MGMT_CLI_SETUP_KEEP_H

/* NAME (at most 20 bytes) becomes NAME.before, or the first of NAME.before.2 ... that is free. 0, also when there is none; or negative errno. */
int setup_keep(int dir, const char *name);

#endif
