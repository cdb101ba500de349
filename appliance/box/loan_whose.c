/* SPDX-License-Identifier: Apache-2.0 */
/* Whether two pictures (loan.h) of devices with the same name are of the same card. */
#include <string.h>

#include "appliance/box/loan.h"

static const json_t *first(const json_t *picture)
{
	return json_array_get(json_object_get(picture, "links"), 0);
}

static const char *text(const json_t *link, const char *key)
{
	const char *s = json_string_value(json_object_get(link, key));

	return s != NULL ? s : "";
}

/* A hardware address that a person or a bond has set does not identify a card. */
static bool told_by_mac(const json_t *link)
{
	const char *kind = text(link, "kind");

	return *text(link, "own") == '\0' && *text(link, "master") == '\0' && *text(link, "mac") != '\0' &&
	       (*kind == '\0' || strcmp(kind, "veth") == 0);
}

bool was_another(const json_t *before, const json_t *now)
{
	const json_t *a = first(before), *b = first(now);

	if (*text(a, "own") != '\0' && *text(b, "own") != '\0')
		return strcmp(text(a, "own"), text(b, "own")) != 0;
	return told_by_mac(a) && told_by_mac(b) && strcmp(text(a, "mac"), text(b, "mac")) != 0;
}
