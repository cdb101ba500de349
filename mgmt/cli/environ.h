/* SPDX-License-Identifier: Apache-2.0 */
/* What another process was started with; only root sees another user's. */
#ifndef SEKISHO_MGMT_CLI_ENVIRON_H
#define SEKISHO_MGMT_CLI_ENVIRON_H

/* The value behind `name`, which ends with "=". NULL: there is none, or it cannot be told. Valid until the next call. */
const char *environ_of(long pid, const char *name);

#endif
