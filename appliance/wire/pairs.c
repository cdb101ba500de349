/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/pairs.h"

static bool pair_opens(const struct known_pair *k, const struct addr *client, const struct addr *server, uint16_t port)
{
	return port >= k->lo && port <= k->hi && addr_in(client, &k->client) && addr_in(server, &k->server);
}

bool pairs_know(const struct known_pair *list, size_t n, const struct addr *a, uint16_t a_port, const struct addr *b,
		uint16_t b_port)
{
	for (size_t i = 0; i < n; i++)
		if (pair_opens(&list[i], a, b, b_port) || pair_opens(&list[i], b, a, a_port))
			return true;
	return false;
}
