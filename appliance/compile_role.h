/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compile role: one bundle of policy texts in, one sealed generation or diagnostics out, exit. It reads what an
 * operator wrote, so it has no privilege, no files and no network, and it lives for one answer. It decides nothing about
 * the box: what it returns is checked again by whoever unseals it.
 */
#ifndef SEKISHO_COMPILE_ROLE_H
#define SEKISHO_COMPILE_ROLE_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/base/messages.h"

#define BUNDLE_MAX (32u << 20) /* bytes of all texts of one policy */

struct compiled {
	int status;	 /* CLI status: 0 compiled, 2 the policy is invalid, 3 could not be done */
	uint8_t *sealed; /* owned; NULL unless status is 0 */
	size_t n_sealed;
	json_t *json; /* owned reference: diagnostics, as docs/json.md has them */
};

/* Pure: the whole work of the role. */
void compile_bundle(struct bytes bundle, enum lang lang, struct compiled *ret);
void compiled_free(struct compiled *c);

#endif
