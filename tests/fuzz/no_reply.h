/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces the functions that answer over HTTP, for targets that link only a reader of requests:
 * nothing is sent. */
#include <stdlib.h>

#include "mgmt/web/reply.h"

enum MHD_Result reply_send(struct MHD_Connection *c, enum reply_kind kind)
{
	(void)c;
	(void)kind;
	abort();
}

enum MHD_Result reply_json(struct MHD_Connection *c, unsigned http, json_t *j, const char *cookie)
{
	(void)c;
	(void)http;
	(void)j;
	(void)cookie;
	abort();
}
