/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/devices/devices.h"

#include <string.h>

#include "appliance/base/memfd.h"
#include "mgmt/cli/words/render.h"

bool taking_fd(struct cli *c, const struct cli_args *a, size_t option, int *ret_fd, int *ret_status)
{
	char text[4096];
	size_t n = 0;

	*ret_fd = -1;
	for (size_t i = 0; i < a->n_every; i++) {
		size_t len = strlen(a->every[i].value) + 1;

		if (a->every[i].option != option)
			continue;
		if (len > sizeof(text) - n) {
			*ret_status = cli_fail(c, CLI_INVALID, M_RELEASE_NAME, a->every[i].value);
			return false;
		}
		memcpy(text + n, a->every[i].value, len);
		n += len;
	}
	if (n == 0)
		return true;
	*ret_fd = memfd_sealed("sekisho-agreed", text, n);
	if (*ret_fd < 0)
		*ret_status = cli_fail(c, CLI_CANNOT, M_BOX_LOST, strerror(-*ret_fd));
	return *ret_fd >= 0;
}

static void one(struct cli *c, const json_t *t)
{
	const json_t *sessions = ja(t, "sessions");

	if (json_array_size(sessions) == 0)
		return;
	render_line(c, M_TAKING_DEVICE, js(t, "device"), js(t, "interface"));
	json_each(s, sessions)
		render_line(c, jb(s, "yours") ? M_TAKING_YOURS : M_TAKING_SESSION, js(s, "peer"), js(s, "local"));
	if (ju(t, "more") > 0)
		render_line(c, M_TAKING_MORE, ju(t, "more"));
}

void taking_tell(struct cli *c, const json_t *answer)
{
	const json_t *taking = ja(answer, "taking");
	struct own_session own;
	bool known = json_array_size(taking) > 0 && own_session(&own);

	for (size_t i = 0; i < json_array_size(taking); i++) {
		const json_t *sessions = ja(json_array_get(taking, i), "sessions");

		for (size_t n = 0; known && n < json_array_size(sessions); n++) {
			json_t *s = json_array_get(sessions, n);

			if (js_is(s, "peer", own.peer) && js_is(s, "local", own.local))
				json_object_set_new(s, "yours", json_true());
		}
		if (!c->json)
			one(c, json_array_get(taking, i));
	}
}
