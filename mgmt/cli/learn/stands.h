/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a proposal is a policy: what `sekisho check` would say of it. Pure but for memory. */
#ifndef SEKISHO_MGMT_CLI_LEARN_STANDS_H
#define SEKISHO_MGMT_CLI_LEARN_STANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/messages.h"

/* False: `check` would refuse the text (of `size` bytes before its NUL), and `why` says for what,
 * with the line. */
bool stands(const char *text, size_t size, enum lang lang, char *why, size_t why_size);

#endif
