/* SPDX-License-Identifier: Apache-2.0 */
/* Whether two pictures (loan.h) of devices with the same name are of the same card. */
#include <string.h>

#include "appliance/box/loan.h"

static const json_t *first_link(const json_t *picture)
{
	return json_array_get(json_object_get(picture, "links"), 0);
}

/* A hardware address that a person or a bond has set does not identify a card. */
static bool told_by_mac(const json_t *link)
{
	const char *kind = text_in(link, "kind");

	return *text_in(link, "own") == '\0' && *text_in(link, "master") == '\0' && *text_in(link, "mac") != '\0' &&
	       (*kind == '\0' || strcmp(kind, "veth") == 0);
}

bool loan_another(const json_t *before, const json_t *now)
{
	const json_t *a = first_link(before), *b = first_link(now);

	if (*text_in(a, "own") != '\0' && *text_in(b, "own") != '\0')
		return strcmp(text_in(a, "own"), text_in(b, "own")) != 0;
	return told_by_mac(a) && told_by_mac(b) && strcmp(text_in(a, "mac"), text_in(b, "mac")) != 0;
}
