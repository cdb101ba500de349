/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/policy/source.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/bundle.h"
#include "appliance/base/diag_json.h"
#include "appliance/base/memfd.h"
#include "mgmt/cli/screen/width.h"

json_t *source_diagnostics(struct source *s, enum lang l)
{
	return diags_json(&s->c.diags, s->c.sources, s->c.n_sources, l);
}

/* What was typed before the file's name, so that places can be clicked on and copied. */
static const char *folder_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/'), *folder = NULL;

	if (slash != NULL)
		folder = arena_strndup(a, path, (size_t)(slash - path) + 1);
	return folder != NULL ? folder : "";
}

static void refused(struct cli *c, const char *path, const struct diags *d)
{
	char *safe = text_safe(path);

	message_print(c->err, c->lang, M_SOURCE_REFUSED, safe != NULL ? safe : "", d->errors, d->warnings);
	free(safe);
}

bool source_open(struct cli *c, const char *path, enum source_depth depth, struct source *ret, int *ret_status)
{
	struct policy_loader loader;
	bool ok;

	memset(ret, 0, sizeof(*ret));
	ret->arena = arena_new(COMPILE_BUDGET);
	if (ret->arena == NULL) {
		*ret_status = cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
		return false;
	}
	ret->c.arena = ret->arena;
	loader_folder(path, ret->arena, &loader, &ret->name);
	ok = policy_check(&ret->c, &loader, ret->name);
	if (ok)
		ok = depth == SOURCE_LOWER ? policy_lower(&ret->c) : policy_lower_unproved(&ret->c);
	ret->c.diags.folder = folder_of(ret->arena, path);
	if (!c->json) {
		fflush(c->out);
		diags_print(c->err, &ret->c.diags, ret->c.sources, ret->c.n_sources, c->lang);
	}
	if (ok)
		return true;
	*ret_status = CLI_INVALID;
	if (c->json)
		json_line(c->out, source_diagnostics(ret, c->lang));
	else
		refused(c, path, &ret->c.diags);
	return false;
}

void source_close(struct source *s)
{
	arena_free(s->arena);
	s->arena = NULL;
}

int source_bundle(struct cli *c, const struct source *s, int *ret_status)
{
	size_t n = bundle_encode(s->c.sources, s->c.n_sources, NULL, 0);
	uint8_t *p = n > 0 ? malloc(n) : NULL;
	int fd;

	if (p == NULL || bundle_encode(s->c.sources, s->c.n_sources, p, n) != n) {
		free(p);
		*ret_status = cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
		return -1;
	}
	fd = memfd_sealed("sekisho-policy", p, n);
	free(p);
	if (fd < 0)
		*ret_status = cli_fail(c, CLI_CANNOT, M_BOX_LOST, strerror(-fd));
	return fd;
}
