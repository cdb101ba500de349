/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/client.h"

#include <string.h>

#include "appliance/base/sha256.h"
#include "mgmt/web/budget.h"

/* Whether the client is a stranger (client.h). A client that sends its request, or reads its
 * answer, as slowly as it likes is a stranger as well. */
static bool stranger(const struct client *k)
{
	return k->state != CLIENT_FREE && k->state != CLIENT_ASKED && !k->known && k->deadline_ns != UINT64_MAX;
}

static size_t places_held(const struct client *all, size_t n, const struct client *k)
{
	struct addr own = budget_network(&k->who), other;
	size_t held = 0;

	for (size_t i = 0; i < n; i++) {
		other = budget_network(&all[i].who);
		held += all[i].state != CLIENT_FREE && addr_cmp(&own, &other) == 0;
	}
	return held;
}

size_t crowd_uncovered(const struct client *all, size_t n, const struct addr *of)
{
	size_t held = 0;

	for (size_t i = 0; i < n; i++)
		held += all[i].state != CLIENT_FREE && all[i].covered == 0 && addr_cmp(&all[i].who, of) == 0;
	return held;
}

void crowd_cover(const struct client *all, size_t n, struct client *k, const uint8_t secret[LOGIN_SECRET],
		 unsigned each, unsigned most)
{
	unsigned own = 0, covered = 0;
	uint8_t digest[32];
	uint64_t session;

	sha256(secret, LOGIN_SECRET, digest);
	memcpy(&session, digest, sizeof(session));
	k->covered = 0;
	for (size_t i = 0; i < n; i++) {
		bool is = all[i].state != CLIENT_FREE && all[i].covered != 0;

		covered += is;
		own += is && all[i].covered == session;
	}
	if (own < each && covered < most)
		k->covered = session;
}

struct client *crowd_victim(struct client *all, size_t n)
{
	struct client *found = NULL;
	size_t most = 0;

	for (size_t i = 0; i < n; i++) {
		size_t held = stranger(&all[i]) ? places_held(all, n, &all[i]) : 0;

		if (held > most || (held > 0 && held == most && all[i].since_ns < found->since_ns)) {
			found = &all[i];
			most = held;
		}
	}
	return found;
}

/* Whether the client waits for the answer to a question that anybody may ask. */
static bool asks_as_stranger(const struct client *k)
{
	return k->state == CLIENT_ASKED && (k->stage == STAGE_LOGIN || k->stage == STAGE_CHALLENGE);
}

/* The number of questions that anybody may ask and that this host has under way; NULL: of all
 * hosts. */
static unsigned under_way(const struct client *all, size_t n, const struct addr *of)
{
	unsigned found = 0;

	for (size_t i = 0; i < n; i++)
		found += asks_as_stranger(&all[i]) && (of == NULL || addr_same_host(&all[i].who, of));
	return found;
}

struct client *crowd_next(struct client *all, size_t n, unsigned most, unsigned each)
{
	struct client *found = NULL;
	unsigned least = each;

	if (under_way(all, n, NULL) >= most)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		struct client *k = &all[i];
		unsigned own = k->state == CLIENT_QUEUED ? under_way(all, n, &k->who) : each;

		/* all wait for the same time, so the earliest deadline has waited longest */
		if (own < least || (found != NULL && own == least && k->wake_ns < found->wake_ns)) {
			found = k;
			least = own;
		}
	}
	return found;
}
