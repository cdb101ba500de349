/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/webauthn.h"

const char *const webauthn_kind_words[WEBAUTHN_KINDS] = {
	[WEBAUTHN_ES256] = "ES256",
	[WEBAUTHN_EDDSA] = "EdDSA",
};
