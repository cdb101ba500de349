/* SPDX-License-Identifier: Apache-2.0 */
/* Sets isolations in the kernel. */
#ifndef SEKISHO_ENFORCE_ISOLATE_H
#define SEKISHO_ENFORCE_ISOLATE_H

#include <stdbool.h>

#include "appliance/base/json.h"

struct enforce;
struct err;
struct generation_held;

/*
 * Cuts what the isolations of the list cover under the generation in force and under `next` (NULL:
 * none), or with `rehearse` only computes their effect.
 * Returns the effect on live sessions, owned by the caller. NULL and *e: the kernel does not have
 * the new state yet; it is tried again, and an earlier isolation ends only when that succeeds.
 */
json_t *enforce_isolate(struct enforce *f, bool rehearse, const json_t *list, const struct generation_held *next,
			struct err *e);

#endif
