/* SPDX-License-Identifier: Apache-2.0 */
/* The client data of Web Authentication: what the browser, and not the page, says of where and for what a key was asked. JSON, as the browser wrote it. */
#ifndef SEKISHO_WEBAUTHN_CLIENT_H
#define SEKISHO_WEBAUTHN_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/webauthn.h"

#define CLIENT_MOST 1024u /* bytes */

/*
 * True when it is of this `type` ("webauthn.get", "webauthn.create") and was said under WEBAUTHN_ORIGIN, in no frame of another site's page.
 * *ret_challenged: there is a challenge of the right size, which is in `challenge` then, whatever is returned.
 */
bool client_read(struct bytes json, const char *type, uint8_t challenge[WEBAUTHN_CHALLENGE], bool *ret_challenged);

#endif
