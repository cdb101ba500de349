/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the message of a browser: a text of parts in base64url without padding (RFC 4648, 5), with
 * '.' between them. */
#ifndef SEKISHO_WEBAUTHN_PARTS_H
#define SEKISHO_WEBAUTHN_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/webauthn.h"

#define PARTS_MOST 4u

struct parts {
	size_t n;
	struct bytes part[PARTS_MOST]; /* into `room` */
	uint8_t room[WEBAUTHN_TEXT];
};

/* True when there are exactly `n` parts, none of them empty, each in canonical base64url. */
bool parts_read(struct bytes text, size_t n, struct parts *ret);
/* Decodes one part to *ret_n bytes, at most `room`. Unused bits must be 0. */
bool parts_base64url(struct bytes text, uint8_t *out, size_t room, size_t *ret_n);

#endif
