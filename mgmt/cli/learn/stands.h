/* SPDX-License-Identifier: Apache-2.0 */
/* Whether `sekisho check` would accept a proposal. Pure but for memory. */
#ifndef SEKISHO_MGMT_CLI_LEARN_STANDS_H
#define SEKISHO_MGMT_CLI_LEARN_STANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/messages.h"

/* Checks the text of `size` bytes, with a NUL after them. False: `check` would refuse it; `why` has
 * the reason and the line. */
bool stands(const char *text, size_t size, enum lang lang, char *why, size_t why_size);

#endif
