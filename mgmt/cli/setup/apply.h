/* SPDX-License-Identifier: Apache-2.0 */
/* What setup does with the two texts once they are written: applies them on trial, and confirms
 * them only when the person answers over a connection that still works. */
#ifndef SEKISHO_MGMT_CLI_SETUP_APPLY_H
#define SEKISHO_MGMT_CLI_SETUP_APPLY_H

#include "mgmt/cli/setup/setup.h"

/* The exit status. */
int setup_apply(struct setup *s);

#endif
