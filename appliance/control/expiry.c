/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/control/expiry.h"

#include <stdbool.h>

/* The start of the last part of the certificate's life, 1 / `share` of it, but at most `most`
 * seconds. */
static uint64_t last_part(const struct validity *v, unsigned share, uint64_t most)
{
	uint64_t life = v->until > v->from ? v->until - v->from : 0, part = life / share;

	if (part > most)
		part = most;
	return v->until - part;
}

static enum expiry none_is_valid(const struct validity *list, size_t n, uint64_t now, size_t *which, uint64_t *since)
{
	enum expiry is = EXPIRY_ENDED;

	for (size_t i = 0; i < n; i++) {
		bool comes = list[i].from > now && list[i].until > list[i].from;

		if (comes && (is == EXPIRY_ENDED || list[i].from < list[*which].from)) {
			is = EXPIRY_NOT_YET;
			*which = i;
		}
		if (is == EXPIRY_ENDED && list[i].until > list[*which].until)
			*which = i;
	}
	*since = is == EXPIRY_ENDED ? list[*which].until : 0;
	return is;
}

enum expiry expiry_of(const struct validity *list, size_t n, uint64_t now, size_t *which, uint64_t *since)
{
	size_t last = n, first = n;

	*which = 0;
	*since = 0;
	for (size_t i = 0; i < n; i++) {
		if (now < list[i].from || list[i].until <= now)
			continue;
		if (last == n || list[i].until > list[last].until)
			last = i;
		if (first == n || list[i].until < list[first].until)
			first = i;
	}
	if (last == n)
		return none_is_valid(list, n, now, which, since);
	*which = last;
	*since = last_part(&list[last], 10, EXPIRY_CLOSE_S);
	if (now >= *since)
		return EXPIRY_CLOSE;
	*which = first;
	*since = last_part(&list[first], 3, EXPIRY_NEAR_S);
	if (now >= *since)
		return EXPIRY_NEAR;
	*which = last;
	*since = 0;
	return EXPIRY_GOOD;
}
