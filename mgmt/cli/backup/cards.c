/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/backup/backup.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/seal/file.h"
#include "mgmt/cli/words/render.h"

#define LINE 64

/* The cards of this machine: {name: hardware address}. */
typedef json_t here_t;

static void look(here_t *here, const char *name)
{
	char path[300], mac[CARD_MAC] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%s/address", name);
	f = fopen(path, "re");
	if (f == NULL)
		return;
	if (fgets(mac, sizeof(mac), f) != NULL)
		mac[strcspn(mac, "\n")] = '\0';
	fclose(f);
	json_object_set_new(here, name, json_text(mac));
}

/* Cards in the first namespace, and cards that the box has already. */
static here_t *here_read(const json_t *status)
{
	json_t *cards = cards_of_box(status);
	here_t *here = json_object();
	DIR *dir = opendir("/sys/class/net");
	const struct dirent *d;

	while (dir != NULL && (d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.' && strcmp(d->d_name, "lo") != 0)
			look(here, d->d_name);
	if (dir != NULL)
		closedir(dir);
	json_each(card, cards)
		if (*js(card, "mac") != '\0')
			json_object_set(here, js(card, "device"), json_object_get(card, "mac"));
	json_decref(cards);
	return here;
}

/* The new name by --map "old=new". */
static const char *mapped(const struct cli_args *a, size_t option, const char *was)
{
	size_t n = strlen(was);

	for (size_t i = 0; i < a->n_every; i++)
		if (a->every[i].option == option && strncmp(a->every[i].value, was, n) == 0 &&
		    a->every[i].value[n] == '=')
			return a->every[i].value + n + 1;
	return NULL;
}

/* The card with that address; if several cards have it, the one with the same name. */
static const char *same_card(here_t *here, const char *was, const char *mac)
{
	const char *name, *found = NULL;
	json_t *x;

	if (*mac == '\0')
		return NULL;
	json_object_foreach(here, name, x) {
		if (strcmp(json_string_value(x), mac) == 0 && (found == NULL || strcmp(name, was) == 0))
			found = name;
	}
	return found;
}

/* Asks until the answer is a card of this box; NULL at the end of the input. */
static const char *asked(struct cli *c, here_t *here, const char *was, const char *mac, char line[LINE])
{
	const char *name;
	json_t *x;

	render_line(c, M_RESTORE_ASK, was, *mac != '\0' ? mac : "-");
	json_object_foreach(here, name, x) {
		render_line(c, M_RESTORE_CARD_HERE, name, json_string_value(x));
	}
	for (;;) {
		fputs("> ", c->out);
		fflush(c->out);
		if (fgets(line, LINE, stdin) == NULL)
			return NULL;
		line[strcspn(line, " \t\r\n")] = '\0';
		if (json_object_get(here, line) != NULL)
			return line;
		render_line(c, M_RESTORE_NO_CARD, line);
	}
}

static bool taken(const struct card_places *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->list[i].is, name) == 0)
			return true;
	return false;
}

static bool place(struct cli *c, const struct cli_args *a, size_t option, const json_t *card, here_t *here,
		  struct card_places *p, int *ret_status)
{
	const char *was = js(card, "device"), *mac = js(card, "mac"), *is = mapped(a, option, was);
	struct card_place *x = &p->list[p->n];
	char line[LINE];

	if (*was == '\0' || strlen(was) >= CARD_NAME || strlen(mac) >= CARD_MAC || p->n == CARDS_MOST) {
		*ret_status = cli_fail(c, CLI_INVALID, M_RESTORE_DAMAGED);
		return false;
	}
	if (is == NULL)
		is = same_card(here, was, mac);
	if (is == NULL && !c->json && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		is = asked(c, here, was, mac, line);
	if (is == NULL)
		*ret_status = cli_fail(c, CLI_INVALID, M_RESTORE_NO_PLACE, was, *mac != '\0' ? mac : "-", was);
	else if (json_object_get(here, is) == NULL || strlen(is) >= CARD_NAME)
		*ret_status = cli_fail(c, CLI_INVALID, M_RESTORE_NO_CARD, is);
	else if (taken(p, is))
		*ret_status = cli_fail(c, CLI_INVALID, M_RESTORE_TWICE, is);
	else {
		/* The lengths of all three texts were checked, so they fit, each with a NUL. */
		*x = (struct card_place){ 0 };
		memcpy(x->was, was, strlen(was));
		memcpy(x->mac, mac, strlen(mac));
		memcpy(x->is, is, strlen(is));
		p->n++;
		return true;
	}
	return false;
}

/* Whether an earlier --map has the same card: of two answers neither can be preferred. */
static bool mapped_before(const struct cli_args *a, size_t option, size_t n)
{
	size_t end = strcspn(a->every[n].value, "=") + 1;

	for (size_t i = 0; i < n; i++)
		if (a->every[i].option == option && strncmp(a->every[i].value, a->every[n].value, end) == 0)
			return true;
	return false;
}

/* Refuses a --map whose card is not in the backup, or is given twice. */
static bool maps_known(struct cli *c, const struct cli_args *a, size_t option, const json_t *cards, int *ret_status)
{
	for (size_t i = 0; i < a->n_every; i++) {
		const char *value = a->every[i].value;
		bool known = a->every[i].option != option;

		json_each(card, cards) {
			const char *was = js(card, "device");

			known = known ||
				(*was != '\0' && strncmp(value, was, strlen(was)) == 0 && value[strlen(was)] == '=');
		}
		if (!known) {
			*ret_status = cli_fail(c, CLI_INVALID, M_RESTORE_MAP, value);
			return false;
		}
		if (a->every[i].option == option && mapped_before(a, option, i)) {
			*ret_status = cli_fail(c, CLI_INVALID, M_RESTORE_MAP_TWICE, value);
			return false;
		}
	}
	return true;
}

bool cards_place(struct cli *c, const struct cli_args *a, size_t option, const json_t *cards, const json_t *status,
		 struct card_places *ret, int *ret_status)
{
	here_t *here = here_read(status);
	bool ok = maps_known(c, a, option, cards, ret_status);

	ret->n = 0;
	for (size_t i = 0; ok && i < json_array_size(cards); i++)
		ok = place(c, a, option, json_array_get(cards, i), here, ret, ret_status);
	json_decref(here);
	return ok;
}
