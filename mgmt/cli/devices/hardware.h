/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine offers to a boundary: cards, processors, what the kernel was built with. From
 * /sys, /proc and /lib/modules, as anybody may read them. */
#ifndef SEKISHO_MGMT_CLI_DEVICES_HARDWARE_H
#define SEKISHO_MGMT_CLI_DEVICES_HARDWARE_H

#include "appliance/base/json.h"

/*
 * As docs/json.md has `hardware`. `root` stands before every path, "" for the machine itself. Each
 * thing says whether it was `tried` with Sekisho (docs/runs.md). What cannot be read is null. The
 * caller's; NULL when memory is out.
 */
json_t *hardware_read(const char *root);

#endif
