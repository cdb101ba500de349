/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine has for a box: network cards, processors, kernel features. Read from /sys,
 * /proc and /lib/modules, without root rights. */
#ifndef SEKISHO_MGMT_CLI_DEVICES_HARDWARE_H
#define SEKISHO_MGMT_CLI_DEVICES_HARDWARE_H

#include "appliance/base/json.h"

/*
 * The facts as docs/json.md describes under `hardware`. `root` is put before every path; "" for the
 * machine itself. `tried` tells whether Sekisho was run with this hardware (docs/runs.md). What
 * cannot be read is null. Owned by the caller; NULL when memory is out.
 */
json_t *hardware_read(const char *root);

#endif
