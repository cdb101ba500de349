/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/policy/source.h"
#include "policy/ir/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/bundle.h"
#include "appliance/base/clock.h"
#include "appliance/base/diag_json.h"
#include "appliance/base/json.h"
#include "appliance/base/memfd.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/state/read.h"
#include "policy/space/asked.h"

json_t *source_diagnostics(struct source *s, enum lang l)
{
	return diags_json(&s->c.diags, s->c.sources, s->c.n_sources, l);
}

/* The folder as typed, so that places in messages can be clicked on and copied. */
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

/* `path`: the name that people use. */
static bool compile(struct cli *c, struct policy_loader *loader, const char *path, enum source_depth depth,
		    struct source *ret, int *ret_status)
{
	bool ok = policy_check(&ret->c, loader, ret->name);

	if (depth != SOURCE_CHECKED)
		ok = depth == SOURCE_LOWER ? policy_lower(&ret->c) : policy_lower_unproved(&ret->c);
	ret->c.diags.folder = folder_of(ret->arena, path);
	if (ok && depth == SOURCE_CHECKED)
		return true;
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

static bool begin(struct cli *c, struct source *ret, int *ret_status)
{
	memset(ret, 0, sizeof(*ret));
	ret->arena = ret->c.arena = arena_new(COMPILE_BUDGET);
	if (ret->arena == NULL)
		*ret_status = cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	return ret->arena != NULL;
}

bool source_open(struct cli *c, const char *path, enum source_depth depth, struct source *ret, int *ret_status)
{
	struct policy_loader loader;

	if (!begin(c, ret, ret_status))
		return false;
	loader_folder(path, ret->arena, &loader, &ret->name);
	return compile(c, &loader, path, depth, ret, ret_status);
}

int source_of_list(void *ctx, const char *name, struct arena *a, struct source_text *ret)
{
	const json_t *source = json_find(ctx, "name", name);
	const char *text = js(source, "text");

	if (source == NULL)
		return -ENOENT;
	*ret = (struct source_text){ arena_strndup(a, name, strlen(name)), arena_strndup(a, text, strlen(text)),
				     strlen(text) };
	return ret->name != NULL && ret->text != NULL ? 0 : -ENOMEM;
}

static bool open_shown(struct cli *c, uint32_t number, enum source_depth depth, struct source *ret, int *ret_status)
{
	const struct msg_body question = { MSG_SHOW, .show = { .number = number } };
	struct policy_loader loader = { .load = source_of_list };
	struct box_answer answer;
	const json_t *sources;
	bool ok;

	if (!begin(c, ret, ret_status) || !box_ask(c, &question, &answer, ret_status))
		return false;
	sources = ja(answer.json, "sources");
	if (answer.status != CLI_YES || json_array_size(sources) == 0) {
		if (!box_answer_done(c, &answer, ret_status))
			*ret_status = cli_fail(c, CLI_CANNOT, M_ASK_NO_POLICY);
		box_answer_free(&answer);
		return false;
	}
	loader.ctx = (void *)(uintptr_t)sources;
	ret->name = arena_strndup(ret->arena, js(json_array_get(sources, 0), "name"),
				  strlen(js(json_array_get(sources, 0), "name")));
	ok = ret->name != NULL && compile(c, &loader, ret->name, depth, ret, ret_status);
	box_answer_free(&answer);
	return ok;
}

/* Takes over the bytes. `path`: the name that people use. */
static bool raise_sealed(struct cli *c, const char *path, uint8_t *p, size_t n, struct source *ret, int *ret_status)
{
	struct err e = { 0 };
	bool ok = begin(c, ret, ret_status);

	if (ok && policy_raise(&ret->c, bytes_of(p, n), &e) < 0) {
		*ret_status = cli_fail(c, CLI_CANNOT, M_CLI_FILE, path, e.text);
		ok = false;
	}
	free(p);
	ret->name = ok && ret->c.n_sources > 0 ? ret->c.sources[0].name : "";
	return ok;
}

static bool asked_of_box(struct cli *c, uint64_t at, struct source *ret, int *ret_status)
{
	const struct msg_body question = { MSG_SHOW, .show = { .sealed = 1, .at = at } };
	struct box_answer answer;
	struct err e = { 0 };
	uint8_t *p = NULL;
	size_t n = 0;
	int fd;

	if (!box_request_file(c, &question, NULL, 0, BOX_WAIT_S, &answer, &fd, ret_status))
		return false;
	if (fd < 0) {
		if (!box_answer_done(c, &answer, ret_status))
			*ret_status = cli_fail(c, CLI_CANNOT, M_ASK_NO_POLICY);
		box_answer_free(&answer);
		return false;
	}
	if (memfd_read(fd, IR_SEALED_MAX, &p, &n, &e) < 0)
		*ret_status = cli_fail(c, CLI_CANNOT, M_BOX_LOST, e.text);
	close(fd);
	return p != NULL && raise_sealed(c, "box", p, n, ret, ret_status);
}

bool source_doors(struct cli *c, struct source *s, uint64_t at, int *ret_status)
{
	struct box_answer answer;

	if (!box_status(c, &answer, ret_status))
		return false;
	asking_doors(&s->c, ja(answer.json, "doors"), at);
	box_answer_free(&answer);
	return true;
}

bool source_open_asked(struct cli *c, const char *path, uint64_t at, struct source *ret, int *ret_status)
{
	struct err unsaid;
	uint8_t *p = NULL;
	size_t n;

	ret->arena = NULL;
	if (path == NULL)
		return asked_of_box(c, at, ret, ret_status);
	if (file_read(AT_FDCWD, path, IR_SEALED_MAX, &p, &n, &unsaid) == 0 && ir_is_sealed(bytes_of(p, n)))
		return raise_sealed(c, path, p, n, ret, ret_status);
	free(p);
	return source_open(c, path, SOURCE_CHECKED, ret, ret_status);
}

bool source_open_any(struct cli *c, const char *name, enum source_depth depth, struct source *ret, int *ret_status)
{
	unsigned long long number = 0;
	bool box = strncmp(name, "box", 3) == 0 &&
		   (name[3] == '\0' || (name[3] == ':' && cli_number(name + 4, UINT32_MAX, &number) && number > 0));

	if (!box || access(name, F_OK) == 0)
		return source_open(c, name, depth, ret, ret_status);
	return open_shown(c, (uint32_t)number, depth, ret, ret_status);
}

const char *source_file(const struct source *s, struct srcpos at)
{
	return at.file < s->c.n_sources ? s->c.sources[at.file].name : s->name;
}

void source_say(struct cli *c, enum message m, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, m);
	(void)message_vtext(text, sizeof(text), c->lang, m, ap);
	va_end(ap);
	text_wrap_all(c->out, text);
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

/* ---- conduits that would wait ---------------------------------------------------------------- */

#define ANSWER_S 3u /* seconds; a hint is not worth a longer wait */

static json_t *ending(const struct ir *ir)
{
	uint64_t now = clock_wall_s();
	json_t *names = json_array();

	for (uint32_t i = 0; i < ir->n_conduits; i++)
		if (ir->conduits[i].until > now)
			json_array_append_new(names, json_text(ir->conduits[i].name));
	return names;
}

/* Whether the box would still wait with this text in force. If the clock waits for a time source
 * and the text names none, the wait ends when the text is in force. */
static bool goes_with(const struct ir *ir, const json_t *clock)
{
	return ir_time_sources(ir) || !js_is(clock, "waits", "source");
}

/* The clock of the box; NULL without a message if the box is absent, not accessible, older, or
 * busy, because the check of a text does not need a box. */
static json_t *of_the_box(struct cli *c)
{
	struct box_answer answer;
	json_t *clock = NULL;

	if (access(c->socket, W_OK) != 0 || box_absent(c))
		return NULL;
	if (box_ask_silently(c, &(struct msg_body){ .type = MSG_STATUS }, ANSWER_S, &answer)) {
		clock = json_incref(json_object_get(answer.json, "clock"));
		box_answer_free(&answer);
	}
	return clock;
}

json_t *source_waits(struct cli *c, const struct ir *ir)
{
	json_t *names = ending(ir), *clock = json_array_size(names) > 0 ? of_the_box(c) : NULL, *ret = NULL;

	if (json_is_false(json_object_get(clock, "trusted")) && goes_with(ir, clock))
		ret = json_pack("{s:b, s:O, s:O, s:O}", "trusted", 0, "waits", json_object_get(clock, "waits"),
				"latest", json_object_get(clock, "latest"), "waiting", names);
	json_decref(clock);
	json_decref(names);
	return ret;
}
