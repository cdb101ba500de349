/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/webauthn/client.h"

#include <string.h>

#include "appliance/base/json.h"
#include "appliance/webauthn/parts.h"

static bool says(const json_t *j, const char *key, const char *text)
{
	const json_t *v = json_object_get(j, key);

	return json_is_string(v) && json_string_length(v) == strlen(text) && strcmp(json_string_value(v), text) == 0;
}

static bool read_challenge(const json_t *j, uint8_t challenge[WEBAUTHN_CHALLENGE])
{
	const json_t *v = json_object_get(j, "challenge");
	size_t n;

	return json_is_string(v) &&
	       parts_base64url(bytes_of(json_string_value(v), json_string_length(v)), challenge, WEBAUTHN_CHALLENGE,
			       &n) &&
	       n == WEBAUTHN_CHALLENGE;
}

/* Browsers may say more than this program knows, so other members are passed over. */
bool client_read(struct bytes json, const char *type, uint8_t challenge[WEBAUTHN_CHALLENGE], bool *ret_challenged)
{
	json_t *j = json.left <= CLIENT_MOST ? json_loadb((const char *)json.p, json.left, JSON_REJECT_DUPLICATES, NULL)
					     : NULL;
	const json_t *crossed = json_object_get(j, "crossOrigin");
	bool ok = json_is_object(j) && says(j, "type", type) && says(j, "origin", WEBAUTHN_ORIGIN) &&
		  (crossed == NULL || json_is_false(crossed)) && json_object_get(j, "topOrigin") == NULL;

	*ret_challenged = json_is_object(j) && read_challenge(j, challenge);
	json_decref(j);
	return ok && *ret_challenged;
}
