/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The questions of `sekisho setup`, one after the other, and the way back. Each step asks once and says what became of it; the loop
 * decides where it goes on. What the answers come to is checked by the compiler before it is written.
 */
#include "mgmt/cli/setup/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/utf8.h"
#include "appliance/wire/settings.h"
#include "mgmt/cli/policy/source.h"
#include "mgmt/cli/setup/apply.h"
#include "mgmt/cli/verbs.h"

#define FOLDER "/etc/sekisho"
#define NAME_MOST 63u

enum result { GO, STAY, BACK, QUIT, ENOUGH /* no further interface */ };

static void tell(struct setup *s, enum message m, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, m);
	message_vtext(text, sizeof(text), s->c->lang, m, ap);
	va_end(ap);
	fprintf(s->c->out, "%s\n", text);
}

/* Full-width letters, as an input method leaves them, are meant as plain ones. */
static void plain(char text[SETUP_LINE])
{
	char out[SETUP_LINE];
	struct bytes b = bytes_of(text, strlen(text));
	struct utf8_char ch;
	size_t n = 0;

	for (const uint8_t *at = b.p; utf8_next(&b, &ch); at = b.p) {
		char ascii = utf8_ascii_for(ch.cp);

		if (ascii != 0)
			out[n++] = ascii;
		else {
			memcpy(out + n, at, ch.size);
			n += ch.size;
		}
	}
	out[n] = '\0';
	memcpy(text, out, n + 1);
}

static enum result ask(struct setup *s, enum message question, const char *otherwise, char out[SETUP_LINE])
{
	enum said said = setup_ask(s, message_format(question, s->c->lang), otherwise, out);

	return said == SAID_BACK ? BACK : said == SAID_QUIT ? QUIT : GO;
}

static enum result ask_plain(struct setup *s, enum message question, const char *otherwise, char out[SETUP_LINE])
{
	enum result r = ask(s, question, otherwise, out);

	plain(out);
	return r;
}

/* As policies name things. */
static bool name_good(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	return n > 0 && text[n] == '\0' && n <= NAME_MOST && text[0] != '-';
}

/* ---- the steps ---------------------------------------------------------------------------------------------------- */

static enum result language(struct setup *s, size_t k)
{
	char line[SETUP_LINE], both[200];
	enum said said;
	enum result r;

	(void)k;
	snprintf(both, sizeof(both), "%s\n%s", message_format(M_SETUP_LANGUAGE, LANG_JA),
		 message_format(M_SETUP_LANGUAGE, LANG_EN));
	said = setup_ask(s, both, s->c->lang == LANG_JA ? "1" : "2", line);
	r = said == SAID_BACK ? BACK : said == SAID_QUIT ? QUIT : GO;
	plain(line);
	if (r == GO && strcmp(line, "1") != 0 && strcmp(line, "2") != 0)
		return STAY;
	if (r == GO)
		s->c->lang = line[0] == '1' ? LANG_JA : LANG_EN;
	return r;
}

static enum result site(struct setup *s, size_t k)
{
	char line[SETUP_LINE];
	enum result r = ask_plain(s, M_SETUP_SITE, s->site[0] != '\0' ? s->site : NULL, line);

	(void)k;
	if (r != GO)
		return r;
	if (!name_good(line)) {
		tell(s, M_SETUP_NAME_BAD, NAME_MOST);
		return STAY;
	}
	snprintf(s->site, sizeof(s->site), "%.63s", line);
	return GO;
}

static enum result label(struct setup *s, size_t k)
{
	char line[SETUP_LINE];
	enum result r = ask(s, M_SETUP_LABEL, s->label, line);

	(void)k;
	if (r == GO)
		snprintf(s->label, sizeof(s->label), "%s", line);
	return r;
}

static enum result mode(struct setup *s, size_t k)
{
	char line[SETUP_LINE];
	enum result r = ask_plain(s, M_SETUP_MODE, "1", line);

	(void)k;
	if (r == GO && strcmp(line, "2") == 0)
		tell(s, M_SETUP_NO_PAIR);
	return r == GO && strcmp(line, "1") != 0 ? STAY : r;
}

/* A card without a VLAN has one part; one with VLANs has as many as it has VLANs. */
static bool used(const struct setup *s, const struct card *c, size_t k, bool admin)
{
	if (!admin && s->admin.card == c && s->admin.vlan == 0)
		return true;
	for (size_t i = 0; i < k && !admin; i++)
		if (s->data[i].card == c && s->data[i].vlan == 0)
			return true;
	return false;
}

/* Somebody has a part of the card already: that VLAN of it, or (0) any. */
static bool shared(const struct setup *s, const struct card *c, unsigned vlan, size_t k)
{
	if (s->admin.card == c && (vlan == 0 || s->admin.vlan == vlan))
		return true;
	for (size_t i = 0; i < k; i++)
		if (s->data[i].card == c && (vlan == 0 || s->data[i].vlan == vlan))
			return true;
	return false;
}

/* The VLAN of the interface on the card just chosen; `admin`: nobody has a part before it. */
static enum result vlan(struct setup *s, struct setup_interface *x, enum message question, size_t k, bool admin)
{
	bool needed = !admin && shared(s, x->card, 0, k);
	unsigned long long n = 0;
	char line[SETUP_LINE];
	enum result r = ask_plain(s, question, NULL, line);

	if (r != GO)
		return r;
	if (line[0] == '\0' ? needed : !cli_number(line, VLAN_LAST, &n) || n == 0) {
		tell(s, needed && line[0] == '\0' ? M_SETUP_VLAN_NEEDED : M_SETUP_VLAN_BAD, VLAN_LAST);
		return STAY;
	}
	if (n != 0 && !admin && shared(s, x->card, (unsigned)n, k)) {
		tell(s, M_SETUP_VLAN_TAKEN, (unsigned)n);
		return STAY;
	}
	x->vlan = (unsigned)n;
	return GO;
}

/* By its number in the list or its name. */
static const struct card *card_of(struct setup *s, const char *text)
{
	unsigned long long n;

	if (cli_number(text, CARDS_MAX, &n))
		return n > 0 && n <= s->cards.n ? &s->cards.list[n - 1] : NULL;
	for (size_t i = 0; i < s->cards.n; i++)
		if (strcmp(s->cards.list[i].name, text) == 0)
			return &s->cards.list[i];
	return NULL;
}

/* A card, or an order: "blink N", "list". */
static enum result card(struct setup *s, enum message question, size_t k, bool admin, const struct card **ret)
{
	char line[SETUP_LINE];
	enum result r;

	cards_print(s);
	r = ask_plain(s, question, NULL, line);
	if (r != GO)
		return r;
	if (line[0] == '\0' && !admin && k > 0)
		return ENOUGH;
	if (strcmp(line, "list") == 0)
		return STAY;
	if (strncmp(line, "blink ", 6) == 0 && card_of(s, line + 6) != NULL) {
		card_blink(s, card_of(s, line + 6));
		return STAY;
	}
	*ret = card_of(s, line);
	if (*ret == NULL)
		tell(s, M_SETUP_NO_CARD, line);
	else if (used(s, *ret, k, admin))
		tell(s, M_SETUP_CARD_USED, (*ret)->name);
	else
		return GO;
	return STAY;
}

/* "10.0.0.1/24": the address, and the network that it is in. */
static bool address_take(const char *text, char out[ADDR_TEXT], char network[ADDR_TEXT])
{
	char alone[ADDR_TEXT];
	struct addr_range net;
	const char *slash = strchr(text, '/');
	struct addr a;
	bool stray = false;

	if (slash == NULL || strlen(text) >= ADDR_TEXT)
		return false;
	snprintf(alone, sizeof(alone), "%.*s", (int)(slash - text), text);
	if (!addr_parse(alone, &a) || (!prefix_parse(text, &net, &stray) && !stray))
		return false;
	snprintf(out, ADDR_TEXT, "%s", text);
	addr_range_text(&net, network, ADDR_TEXT);
	return strchr(network, '-') == NULL;
}

static enum result addresses(struct setup *s, enum message question, struct setup_interface *x)
{
	char line[SETUP_LINE], *rest = NULL;
	enum result r = ask_plain(s, question, NULL, line);

	if (r != GO)
		return r;
	x->n_addresses = 0;
	for (char *word = strtok_r(line, " ,", &rest); word != NULL; word = strtok_r(NULL, " ,", &rest)) {
		if (x->n_addresses == SETUP_ADDRESSES ||
		    !address_take(word, x->addresses[x->n_addresses], x->networks[x->n_addresses])) {
			tell(s, M_SETUP_ADDRESS_BAD, word, SETUP_ADDRESSES);
			return STAY;
		}
		x->n_addresses++;
	}
	if (x->n_addresses == 0)
		tell(s, M_SETUP_ADDRESS_BAD, "", SETUP_ADDRESSES);
	return x->n_addresses > 0 ? GO : STAY;
}

static enum result admin_card(struct setup *s, size_t k)
{
	return card(s, M_SETUP_ADMIN_CARD, k, true, &s->admin.card);
}

static enum result admin_vlan(struct setup *s, size_t k)
{
	(void)k;
	return vlan(s, &s->admin, M_SETUP_ADMIN_VLAN, 0, true);
}

static enum result admin_address(struct setup *s, size_t k)
{
	(void)k;
	return addresses(s, M_SETUP_ADMIN_ADDRESS, &s->admin);
}

/* "192.168.7.0/24 via 10.0.0.254", or nothing. */
static enum result terminals(struct setup *s, size_t k)
{
	char line[SETUP_LINE], net[ADDR_TEXT], via[ADDR_TEXT], more;
	enum result r = ask_plain(s, M_SETUP_TERMINALS, NULL, line);
	struct addr_range range;
	struct addr a;
	bool stray;

	(void)k;
	s->terminals[0] = s->via[0] = '\0';
	if (r != GO || line[0] == '\0')
		return r;
	if (sscanf(line, "%47s via %47s %c", net, via, &more) != 2 || !prefix_parse(net, &range, &stray) ||
	    !addr_parse(via, &a)) {
		tell(s, M_SETUP_TERMINALS_BAD, line);
		return STAY;
	}
	snprintf(s->terminals, sizeof(s->terminals), "%s", net);
	snprintf(s->via, sizeof(s->via), "%s", via);
	return GO;
}

static enum result data_card(struct setup *s, size_t k)
{
	enum result r;

	s->n_data = k;
	if (k == SETUP_DATA)
		return ENOUGH;
	r = card(s, k == 0 ? M_SETUP_FIRST_CARD : M_SETUP_NEXT_CARD, k, false, &s->data[k].card);
	return r;
}

static enum result data_vlan(struct setup *s, size_t k)
{
	return vlan(s, &s->data[k], M_SETUP_DATA_VLAN, k, false);
}

static enum result data_address(struct setup *s, size_t k)
{
	return addresses(s, M_SETUP_DATA_ADDRESS, &s->data[k]);
}

static enum result zone(struct setup *s, size_t k)
{
	char line[SETUP_LINE];
	enum result r = ask_plain(s, M_SETUP_ZONE, NULL, line);
	bool taken = false;

	if (r != GO)
		return r;
	for (size_t i = 0; i < k; i++)
		taken = taken || strcmp(s->data[i].zone, line) == 0;
	if (!name_good(line) || taken || strcmp(line, "self") == 0) {
		tell(s, taken ? M_SETUP_ZONE_TAKEN : M_SETUP_NAME_BAD, NAME_MOST);
		return STAY;
	}
	snprintf(s->data[k].zone, sizeof(s->data[k].zone), "%.63s", line);
	return GO;
}

static enum result class_of(struct setup *s, size_t k)
{
	char line[SETUP_LINE];
	enum result r = ask_plain(s, M_SETUP_CLASS, "3", line);
	unsigned long long n;

	if (r != GO)
		return r;
	if (!cli_number(line, 6, &n) || n == 0) {
		tell(s, M_SETUP_CHOOSE, 6);
		return STAY;
	}
	s->data[k].class = (unsigned)n - 1;
	s->n_data = k + 1;
	return GO;
}

/* The compiler's word on the two texts, from a folder that goes again. */
static bool checked(struct setup *s, const char *box, const char *policy)
{
	char folder[] = "/tmp/sekisho-setup-XXXXXX", path[64];
	struct source source = { 0 };
	int status;
	bool ok = mkdtemp(folder) != NULL && setup_write(s, folder, box, policy) == 0;

	snprintf(path, sizeof(path), "%s/site.cfg", folder);
	if (ok) {
		ok = source_open(s->c, path, SOURCE_LOWER, &source, &status);
		source_close(&source);
	}
	unlink(path);
	snprintf(path, sizeof(path), "%s/box.cfg", folder);
	unlink(path);
	rmdir(folder);
	return ok;
}

/* Everything is shown before anything is written. */
static enum result show(struct setup *s, size_t k)
{
	char *box = setup_box_text(s), *policy = setup_policy_text(s), line[SETUP_LINE];
	enum result r = QUIT;

	(void)k;
	if (box == NULL || policy == NULL) {
		tell(s, M_CLI_NO_MEMORY);
		goto out;
	}
	fprintf(s->c->out, "\n---- %s/box.cfg\n%s\n---- %s/site.cfg\n%s\n", s->folder, box, s->folder, policy);
	if (!checked(s, box, policy)) {
		tell(s, M_SETUP_WRONG);
		r = BACK;
		goto out;
	}
	r = ask_plain(s, M_SETUP_WRITE, NULL, line);
	if (r == GO && strcmp(line, "1") != 0 && strcmp(line, "2") != 0) {
		tell(s, M_SETUP_CHOOSE, 2);
		r = STAY;
	}
	if (r == GO) {
		s->status = setup_write(s, s->folder, box, policy);
		if (s->status == 0)
			tell(s, M_SETUP_WRITTEN, s->folder);
		if (s->status == 0 && line[0] == '1')
			s->status = setup_apply(s);
	}
out:
	free(box);
	free(policy);
	return r;
}

/* ---- the way through them ----------------------------------------------------------------------------------------- */

typedef enum result step(struct setup *s, size_t k);

static step *const before[] = { language, site, label, mode, admin_card, admin_vlan, admin_address, terminals };
static step *const each[] = { data_card, data_vlan, data_address, zone, class_of };

#define BEFORE (sizeof(before) / sizeof(before[0]))
#define EACH (sizeof(each) / sizeof(each[0]))
#define PLACES (BEFORE + SETUP_DATA * EACH)

/* Places are numbered: those before, then those of each interface; the last one shows it all. */
static int walk(struct setup *s)
{
	size_t at = 0, last = 0; /* last: where "show" was come from */
	bool showing = false;

	for (;;) {
		size_t k = at < BEFORE ? 0 : (at - BEFORE) / EACH;
		enum result r = showing	      ? show(s, k)
				: at < BEFORE ? before[at](s, 0)
					      : each[(at - BEFORE) % EACH](s, k);

		switch (r) {
		case GO:
			if (showing)
				return s->status;
			at++;
			if (at == PLACES) {
				last = at - 1;
				showing = true;
			}
			break;
		case ENOUGH:
			last = at;
			showing = true;
			break;
		case BACK:
			if (showing)
				at = last;
			else if (at > 0)
				at--;
			showing = false;
			break;
		case STAY:
			break;
		case QUIT:
			tell(s, M_SETUP_QUIT);
			return CLI_NO;
		}
	}
}

static int run(struct cli *c, const struct cli_args *a)
{
	struct setup *s;
	int status;

	if (c->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return cli_fail(c, CLI_INVALID, M_SETUP_NO_TERMINAL);
	if (geteuid() != 0)
		return cli_fail(c, CLI_CANNOT, M_SETUP_NO_ROOT);
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	s->c = c;
	s->folder = a->n_operands > 0 ? a->operands[0] : FOLDER;
	cards_read(&s->cards);
	message_print(c->out, c->lang, M_SETUP_BEGIN);
	status = walk(s);
	free(s);
	return status;
}

const struct cli_verb verb_setup = {
	.name = "setup",
	.group = CLI_ON_BOX,
	.operands = "[FOLDER]",
	.max_operands = 1,
	.summary = M_SETUP_SUMMARY,
	.text = M_SETUP_TEXT,
	.run = run,
};
