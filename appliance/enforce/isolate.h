/* SPDX-License-Identifier: Apache-2.0 */
/* Isolations in the kernel (isolate.c). */
#ifndef SEKISHO_ENFORCE_ISOLATE_H
#define SEKISHO_ENFORCE_ISOLATE_H

#include <stdbool.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"

struct enforce; /* enforce.h */

/*
 * Takes all isolated pairs (fd: list of APART_PAIR), or with `rehearse` only computes their effect.
 * Returns the effect on live sessions, owned by the caller. NULL and *e: the kernel does not have
 * the new state yet; it is tried again, and an earlier isolation ends only when that succeeds.
 */
json_t *enforce_isolate(struct enforce *f, bool rehearse, int fd, struct err *e);

#endif
