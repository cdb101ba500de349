/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho restore FILE`: puts a backup's policy into force by a normal apply, on trial. A backup
 * is hostile input: backup.h reads it, and the box's own compiler compiles the policy in its
 * sandbox; nothing sealed is taken over.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "mgmt/cli/backup/backup.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/devices/devices.h"
#include "mgmt/cli/policy/source.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"

#define TRIAL_S 300u
#define WAIT_S 120
#define TEXTS_MOST 1024u
#define NAME_MOST 256u

/* ---- the contents ---------------------------------------------------------------------------- */

static const json_t *chosen(struct cli *c, const struct cli_args *a, const json_t *backup, int *ret_status)
{
	const char *number = a->values[OPT_RESTORE_GENERATION];
	const json_t *list = ja(backup, "generations");
	unsigned long long wanted = 0;

	if (number == NULL)
		return json_array_get(list, 0);
	if (cli_number(number, INT64_MAX, &wanted))
		json_each(g, list)
			if (ju(json_object_get(g, "generation"), "number") == wanted)
				return g;
	*ret_status = cli_fail(c, CLI_INVALID, M_RESTORE_NO_GENERATION, number);
	return NULL;
}

/* Copies a word for a record, with '?' for all but visible ASCII characters, because the maker of
 * the file chose it. */
static void plain_word(const char *text, char *out, size_t size)
{
	size_t n = 0;

	for (; *text != '\0' && n + 1 < size; text++)
		out[n++] = *text > ' ' && *text < 0x7f ? *text : '?';
	out[n] = '\0';
}

/* Which box the backup is from, when it was made, and its last record: the new box's records
 * continue from there. */
static void origin(const json_t *backup, const json_t *g, char *out, size_t size)
{
	const json_t *journal = json_object_get(backup, "journal");
	char site[33], host[33], made[33], head[65];

	plain_word(js(json_object_get(backup, "site"), "name"), site, sizeof(site));
	plain_word(js(backup, "host"), host, sizeof(host));
	plain_word(js(backup, "made"), made, sizeof(made));
	plain_word(js(journal, "head"), head, sizeof(head));
	snprintf(out, size, "%s@%s %s generation %llu, journal %llu %s", site, host, made,
		 ju(json_object_get(g, "generation"), "number"), ju(journal, "records"), head);
}

/* The texts with the cards' new names, as apply passes them on; -1 after reporting an error. */
static int bundle_fd(struct cli *c, const json_t *sources, struct card_places *places, int *ret_status)
{
	size_t n = json_array_size(sources), n_bundle = 0, i = 0;
	bool fits = n > 0 && n <= TEXTS_MOST;
	struct source_text *list = fits ? calloc(n, sizeof(*list)) : NULL;
	char **texts = fits ? calloc(n, sizeof(*texts)) : NULL;
	uint8_t *p = NULL;
	int fd = -1;

	for (; list != NULL && texts != NULL && i < n; i++) {
		const json_t *s = json_array_get(sources, i);
		const char *name = js(s, "name"), *text = js(s, "text");

		texts[i] = cards_rename(places, bytes_of(text, strlen(text)), &list[i].size);
		if (texts[i] == NULL || *name == '\0' || strlen(name) > NAME_MOST)
			break;
		list[i].name = name;
		list[i].text = texts[i];
	}
	if (fits && i == n)
		n_bundle = bundle_encode(list, n, NULL, 0);
	p = n_bundle > 0 ? malloc(n_bundle) : NULL;
	if (p != NULL && bundle_encode(list, n, p, n_bundle) == n_bundle)
		fd = memfd_sealed("sekisho-policy", p, n_bundle);
	if (fd < 0)
		*ret_status = cli_fail(c, CLI_INVALID, M_RESTORE_DAMAGED);
	free(p);
	for (i = 0; texts != NULL && i < n; i++)
		free(texts[i]);
	free(texts);
	free(list);
	return fd;
}

/* Each renamed card must occur in a text, or the policy would start without it. */
static bool all_named(struct cli *c, const struct card_places *p, int *ret_status)
{
	for (size_t i = 0; i < p->n; i++)
		if (!p->list[i].named && strcmp(p->list[i].was, p->list[i].is) != 0) {
			*ret_status = cli_fail(c, CLI_INVALID, M_RESTORE_NOT_NAMED, p->list[i].was);
			return false;
		}
	return true;
}

/* ---- the list of devices --------------------------------------------------------------------- */

/* Sends the backup's list of devices to the box, to take or to try. *ret: its answer, a new
 * reference. False: no answer; the reason was reported. */
static bool hand_devices(struct cli *c, const json_t *devices, enum devices_order what, const char *from,
			 struct box_answer *ret, int *ret_status)
{
	struct msg_body m = { MSG_DEVICES, .devices = { .order = (uint8_t)what } };
	char origin[HOLD_REASON + 1];
	int fd = json_memfd(json_deep_copy(devices));
	bool heard;

	snprintf(origin, sizeof(origin), "%s", from);
	m.devices.reason = origin;
	if (fd < 0) {
		*ret_status = cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
		return false;
	}
	heard = box_request(c, &m, &fd, 1, BOX_WAIT_S, ret, ret_status);
	close(fd);
	return heard;
}

/* Before any change: would the box take the list? *ret: its answer; NULL when the backup has no
 * list. */
static bool try_devices(struct cli *c, const json_t *backup, const char *from, const char *name, json_t **ret,
			int *ret_status)
{
	const json_t *devices = json_object_get(backup, "devices");
	struct box_answer a;

	*ret = NULL;
	if (devices == NULL || json_is_null(devices))
		return true;
	if (!json_is_object(devices)) {
		*ret_status = cli_fail(c, CLI_INVALID, M_RESTORE_DAMAGED);
		return false;
	}
	if (!hand_devices(c, devices, DEVICES_TRY, from, &a, ret_status))
		return false;
	if (a.status == CLI_YES) {
		*ret = a.json;
		return true;
	}
	if (a.status == CLI_NO)
		*ret_status = cli_fail(c, CLI_INVALID, M_RESTORE_NEWER, name);
	else if (a.status == CLI_INVALID)
		*ret_status = cli_fail(c, CLI_INVALID, M_RESTORE_DAMAGED);
	else
		(void)box_answer_done(c, &a, ret_status);
	box_answer_free(&a);
	return false;
}

/* Makes the box take the list. This comes after the policy, which stays in force whatever happens
 * to the list. *ret_status: CLI_YES, or the verb's status. A new reference. */
static json_t *take_devices(struct cli *c, const json_t *backup, const char *from, int *ret_status)
{
	struct box_answer a;

	if (!hand_devices(c, json_object_get(backup, "devices"), DEVICES_TAKE, from, &a, ret_status))
		return json_pack("{s:s}", "error", "no answer");
	*ret_status = a.status == CLI_YES ? CLI_YES : CLI_CANNOT;
	return a.json;
}

static void tell_devices(struct cli *c, const json_t *d, bool dry_run)
{
	if (d == NULL)
		render_line(c, M_RESTORE_NO_DEVICES);
	else if (json_object_get(d, "error") != NULL)
		render_line(c, M_RESTORE_DEVICES_FAILED);
	else if (!jb(d, "taken"))
		render_line(c, M_RESTORE_DEVICES_STAY);
	else
		render_line(c, dry_run ? M_RESTORE_DEVICES_WOULD : M_RESTORE_DEVICES, ju(d, "known"), ju(d, "new"));
}

/* ---- the order ------------------------------------------------------------------------------- */

static void tell_restored(struct cli *c, const struct card_places *p, const char *from)
{
	if (c->json)
		return;
	render_line(c, M_RESTORE_FROM, from);
	for (size_t i = 0; i < p->n; i++)
		render_line(c, M_RESTORE_CARD, p->list[i].was, p->list[i].mac[0] != '\0' ? p->list[i].mac : "-",
			    p->list[i].is);
}

/* Whether this box has a list of leaked passphrases; also false when it does not tell. */
static bool has_leaked(struct cli *c)
{
	const struct msg_body m = { MSG_CTL_USER, .ctl_user = { .order = USER_LEAKED, .text = "{}" } };
	struct box_answer answer;
	bool has = false;

	if (box_ask_silently(c, &m, WAIT_S, &answer)) {
		has = ju(json_object_get(answer.json, "leaked"), "count") > 0;
		box_answer_free(&answer);
	}
	return has;
}

/*
 * Gives the order to apply. Returns whether the policy is in force or, in a dry run, would be.
 * *ret_number: its generation. `tried`: what the box would do with the list of devices; NULL =
 * there is no list. *ret_listed: what the box did with the list, and what became of the accounts.
 * `people`: NULL = the box keeps its accounts.
 */
static int order(struct cli *c, const struct cli_args *a, const json_t *backup, const json_t *g, const char *from,
		 uint32_t confirm_s, int fd, const json_t *tried, const struct people *people,
		 unsigned long long *ret_number, int *ret_listed)
{
	bool dry_run = a->values[OPT_RESTORE_DRY_RUN] != NULL, take_over = a->values[OPT_RESTORE_TAKE_OVER] != NULL;
	const struct msg_body m = { MSG_CTL_CHANGE,
				    .ctl_change = { .order = CHANGE_APPLY,
						    .flags = (uint8_t)(APPLY_RESTORED | (dry_run ? APPLY_DRY_RUN : 0) |
								       (take_over ? APPLY_TAKE_OVER : 0)),
						    .confirm_s = confirm_s,
						    .comment = from } };
	const char *digest = js(json_object_get(g, "generation"), "digest");
	int fds[2] = { fd, -1 }, status;
	json_t *devices = NULL, *taken = NULL;
	int peopled = CLI_YES;
	/* The backup only has the number of leaked passphrases that its box had, not the list. */
	unsigned long long leaked = ju(backup, "leaked");
	struct box_answer answer;
	bool same;

	if (!taking_fd(c, a, OPT_RESTORE_TAKE, &fds[1], &status))
		return status;
	if (!box_request(c, &m, fds, 2, WAIT_S, &answer, &status)) {
		if (fds[1] >= 0)
			close(fds[1]);
		return status;
	}
	if (fds[1] >= 0)
		close(fds[1]);
	*ret_number = ju(json_object_get(answer.json, "generation"), "number");
	same = js_is(json_object_get(answer.json, "generation"), "digest", digest);
	if (!dry_run && answer.status == CLI_YES)
		json_object_set_new(answer.json, "same_digest", json_boolean(same));
	if (answer.status == CLI_YES) {
		if (leaked > 0 && has_leaked(c))
			leaked = 0;
		json_object_set_new(answer.json, "leaked", leaked > 0 ? json_integer((json_int_t)leaked) : json_null());
		devices = tried == NULL || dry_run ? json_deep_copy(tried) : take_devices(c, backup, from, ret_listed);
		json_object_set_new(answer.json, "devices", devices != NULL ? json_incref(devices) : json_null());
		taken = people != NULL ? people_take(c, people, &peopled) : NULL;
		json_object_set_new(answer.json, "whole", taken != NULL ? json_incref(taken) : json_null());
		if (peopled != CLI_YES)
			*ret_listed = peopled;
	}
	taking_tell(c, answer.json);
	if (!c->json)
		render_diagnostics(c, ja(answer.json, "diagnostics"));
	if (!box_answer_done(c, &answer, &status)) {
		status = apply_render(c, dry_run ? APPLY_KIND_DRY_RUN : APPLY_KIND_APPLY, answer.json, status);
		if (!dry_run && status == CLI_YES)
			render_line(c, same ? M_RESTORE_SAME : M_RESTORE_NOT_SAME);
		if (status == CLI_YES)
			tell_devices(c, devices, dry_run);
		if (status == CLI_YES && people != NULL)
			people_tell(c, people, taken);
		if (status == CLI_YES && leaked > 0)
			render_line(c, M_RESTORE_LEAKED, leaked);
	}
	json_decref(devices);
	json_decref(taken);
	box_answer_free(&answer);
	return status;
}

/* Writes the texts in force, so that the next edit begins with exactly them: the maker of the
 * backup may have added others. */
static int write_texts(struct cli *c, const json_t *g, unsigned long long number, struct card_places *places,
		       const char *into)
{
	const json_t *sources = ja(g, "sources");
	json_t *list = json_array();
	struct box_answer shown;
	int status = CLI_CANNOT;

	if (!box_show(c, number, &shown, &status)) {
		json_decref(list);
		return status;
	}
	if (shown.status != CLI_YES) {
		(void)box_answer_done(c, &shown, &status);
		box_answer_free(&shown);
		json_decref(list);
		return status;
	}
	json_each_at(i, s, sources) {
		if (json_find(ja(shown.json, "sources"), "name", js(s, "name")) != NULL)
			json_array_append(list, json_array_get(sources, i));
		else if (!c->json)
			render_line(c, M_RESTORE_NOT_READ, js(s, "name"));
	}
	box_answer_free(&shown);
	status = texts_write(c, list, places, into);
	json_decref(list);
	if (status == CLI_YES && !c->json)
		render_line(c, M_RESTORE_INTO, into);
	return status;
}

static int restore(struct cli *c, const struct cli_args *a, const json_t *backup, struct people *people,
		   uint32_t confirm_s)
{
	const struct msg_body question = { .type = MSG_STATUS };
	struct card_places places;
	unsigned long long number = 0;
	struct box_answer now;
	char from[COMMENT_MOST + 1];
	json_t *tried = NULL;
	int status = CLI_INVALID, listed = CLI_YES, fd = -1;
	const json_t *g = chosen(c, a, backup, &status);
	const char *into = a->values[OPT_RESTORE_INTO];
	bool placed;

	if (g == NULL || (into != NULL && !texts_fit(c, ja(g, "sources"), into, &status)) ||
	    !box_ask(c, &question, &now, &status))
		return status;
	placed = cards_place(c, a, OPT_RESTORE_MAP, ja(backup, "cards"), now.json, &places, &status);
	box_answer_free(&now);
	if (!placed)
		return status;
	fd = bundle_fd(c, ja(g, "sources"), &places, &status);
	if (fd < 0)
		return status;
	origin(backup, g, from, sizeof(from));
	if (all_named(c, &places, &status) && try_devices(c, backup, from, a->operands[0], &tried, &status) &&
	    (people == NULL || (people_try(c, people, &status) && people_settings(c, people, &status)))) {
		tell_restored(c, &places, from);
		status = order(c, a, backup, g, from, confirm_s, fd, tried, people, &number, &listed);
		if (into != NULL && status == CLI_YES && a->values[OPT_RESTORE_DRY_RUN] == NULL)
			status = write_texts(c, g, number, &places, into);
		if (status == CLI_YES)
			status = listed;
	}
	json_decref(tried);
	close(fd);
	return status;
}

/* Whether accounts and keys of the backup are to be taken. False: the reason was printed. */
static bool wants_people(struct cli *c, const struct cli_args *a, const struct opened_keys *keys, int *ret_status)
{
	if (!keys->there)
		*ret_status = cli_fail(c, CLI_INVALID, M_WHOLE_NONE, a->operands[0]);
	else if (geteuid() != 0)
		*ret_status = cli_fail(c, CLI_CANNOT, M_WHOLE_ROOT);
	else if (a->values[OPT_RESTORE_DRY_RUN] == NULL && keys->noted == NULL)
		*ret_status = cli_fail(c, CLI_INVALID, M_WHOLE_WANTS_SHA256, DIGITS_LEAST);
	else
		return true;
	return false;
}

int verb_restore(struct cli *c, const struct cli_args *a)
{
	struct opened_keys keys = { .wanted = a->values[OPT_RESTORE_WHOLE] != NULL,
				    .noted = a->values[OPT_RESTORE_SHA256] };
	struct people people = { .keys = &keys,
				 .state = a->values[OPT_RESTORE_STATE] != NULL ? a->values[OPT_RESTORE_STATE]
									       : WHOLE_STATE,
				 .replace = a->values[OPT_RESTORE_REPLACE] != NULL,
				 .dry_run = a->values[OPT_RESTORE_DRY_RUN] != NULL };
	unsigned long long confirm_s = TRIAL_S;
	int status = CLI_INVALID;
	json_t *backup;

	if (a->values[OPT_RESTORE_CONFIRM] != NULL &&
	    (!cli_seconds(a->values[OPT_RESTORE_CONFIRM], CONFIRM_MOST, &confirm_s) || confirm_s == 0))
		return cli_fail(c, CLI_INVALID, M_APPLY_SECONDS, a->values[OPT_RESTORE_CONFIRM], CONFIRM_MOST);
	if (a->values[OPT_RESTORE_KEY] == NULL)
		return cli_fail(c, CLI_INVALID, M_RESTORE_WANTS_KEY);
	backup = backup_open(c, a->operands[0], a->values[OPT_RESTORE_KEY], &keys, &status);
	people.made = backup != NULL ? js(backup, "made") : "";
	if (backup != NULL && (!keys.wanted || wants_people(c, a, &keys, &status)))
		status = restore(c, a, backup, keys.wanted ? &people : NULL, (uint32_t)confirm_s);
	if (backup != NULL && keys.there && !keys.wanted && status == CLI_YES && !c->json)
		render_line(c, M_WHOLE_NOT_ASKED);
	json_decref(people.lists);
	whole_free(&keys.whole);
	json_decref(backup);
	return status;
}
