/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status with what it means, in both languages: the one sentence, what is wrong, what was refused. What a page shows
 * in words comes from here, so that it says what `sekisho status` says. Pure but for `seen`.
 */
#ifndef SEKISHO_MGMT_WEB_API_STATE_H
#define SEKISHO_MGMT_WEB_API_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "mgmt/state/seen.h"

/*
 * `json` holds `n` bytes of the status, which is that of `wall_ns`; the form is docs/json.md's. The text is the caller's to free(), *ret_n its
 * length. NULL when the bytes are no status or memory is short; `seen` has learned nothing then.
 */
char *state_text(struct seen *seen, uint64_t wall_ns, const char *json, size_t n, size_t *ret_n);

#endif
