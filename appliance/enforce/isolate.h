/* SPDX-License-Identifier: Apache-2.0 */
/* What people isolated, in the kernel (isolate.c). */
#ifndef SEKISHO_ENFORCE_ISOLATE_H
#define SEKISHO_ENFORCE_ISOLATE_H

#include <stdbool.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"

struct enforce; /* enforce.h */

/*
 * All pairs that are isolated from now on (fd: of APART_PAIR), or with `rehearse` only asked after.
 * What it does to live sessions; owned by the caller. NULL and *e: the kernel does not have it yet,
 * and is tried again; what was isolated before may be so no more only when that succeeds.
 */
json_t *enforce_isolate(struct enforce *f, bool rehearse, int fd, struct err *e);

#endif
