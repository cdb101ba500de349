/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/api/routes.h"

#include <string.h>

static const struct route *const routes[] = { &route_status,   &route_state,   &route_effective, &route_events,
					      &route_why,      &route_nearest, &route_picture,	 &route_metrics,
					      &route_draft,    &route_history, &route_policy,	 &route_verify,
					      &route_accounts, &route_tokens,  &route_live,	 &route_rules,
					      &route_holds,    &route_reviews, &route_tally,	 &route_devices,
					      &route_attacks,  &route_flows,   &route_ask };

static const char *const posted[] = { POST_LOGIN,   POST_LOGOUT,  POST_CHANGE,	  POST_KEY,
				      POST_RECORDS, POST_ACCOUNT, POST_PASSPHRASE };

const struct route *route_at(size_t i)
{
	return i < sizeof(routes) / sizeof(routes[0]) ? routes[i] : NULL;
}

const char *route_posted_at(size_t i)
{
	return i < sizeof(posted) / sizeof(posted[0]) ? posted[i] : NULL;
}

bool route_is_posted(const char *path)
{
	for (size_t i = 0; i < sizeof(posted) / sizeof(posted[0]); i++)
		if (strcmp(posted[i], path) == 0)
			return true;
	return false;
}

const struct route *route_find(const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (strcmp(routes[i]->path, path) == 0)
			return routes[i];
	return NULL;
}
