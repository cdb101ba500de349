/* SPDX-License-Identifier: Apache-2.0 */
/* Which card is which, with its VLAN and the box's addresses: for the admin side, then for each
 * zone. */
#include <stdio.h>
#include <string.h>

#include "appliance/wire/settings.h"
#include "mgmt/cli/setup/cards.h"
#include "mgmt/cli/setup/setup.h"
#include "mgmt/cli/setup/sides.h"
#include "mgmt/cli/setup/step.h"

/* Whether an earlier interface has the whole card, without a VLAN. If it has only a VLAN, the
 * card's other VLANs are free. */
static bool used(const struct setup *s, const struct card *c, size_t k, bool admin)
{
	if (!admin && s->admin.card == c && s->admin.vlan == 0)
		return true;
	for (size_t i = 0; i < k && !admin; i++)
		if (s->data[i].card == c && s->data[i].vlan == 0)
			return true;
	return false;
}

/* Whether another interface has this VLAN of the card already, or, for 0, any VLAN. */
static bool shared(const struct setup *s, const struct card *c, unsigned vlan, size_t k)
{
	if (s->admin.card == c && (vlan == 0 || s->admin.vlan == vlan))
		return true;
	for (size_t i = 0; i < k; i++)
		if (s->data[i].card == c && (vlan == 0 || s->data[i].vlan == vlan))
			return true;
	return false;
}

/* The VLAN of the interface on the chosen card; `admin`: no interface comes before it. */
static enum step_result vlan(struct setup *s, struct setup_interface *x, enum message question, size_t k, bool admin)
{
	bool needed = !admin && shared(s, x->card, 0, k);
	unsigned long long n = 0;
	char line[SETUP_LINE];
	enum step_result r = step_ask_plain(s, question, NULL, line);

	if (r != STEP_GO)
		return r;
	if (line[0] == '\0' ? needed : !cli_number(line, VLAN_LAST, &n) || n == 0) {
		step_tell(s, needed && line[0] == '\0' ? M_SETUP_VLAN_NEEDED : M_SETUP_VLAN_BAD, VLAN_LAST);
		return STEP_STAY;
	}
	if (n != 0 && !admin && shared(s, x->card, (unsigned)n, k)) {
		step_tell(s, M_SETUP_VLAN_TAKEN, (unsigned)n);
		return STEP_STAY;
	}
	x->vlan = (unsigned)n;
	return STEP_GO;
}

/* Finds a card by its number in the list or its name. */
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

/* Reads a card, or an order: "blink N", "list". */
static enum step_result card(struct setup *s, enum message question, size_t k, bool admin, const struct card **ret)
{
	char line[SETUP_LINE];
	enum step_result r;

	links_settle(&s->cards);
	cards_print(s);
	s->watch = cards_watch;
	r = step_ask_plain(s, question, NULL, line);
	s->watch = NULL;
	if (r != STEP_GO)
		return r;
	if (line[0] == '\0' && !admin && !s->between && k > 0)
		return STEP_ENOUGH;
	if (strcmp(line, "list") == 0)
		return STEP_STAY;
	if (strncmp(line, "blink ", 6) == 0 && card_of(s, line + 6) != NULL) {
		card_blink(s, card_of(s, line + 6));
		return STEP_STAY;
	}
	*ret = card_of(s, line);
	if (*ret == NULL)
		step_tell(s, M_SETUP_NO_CARD, line);
	else if (used(s, *ret, k, admin))
		step_tell(s, M_SETUP_CARD_USED, (*ret)->name);
	else
		return STEP_GO;
	return STEP_STAY;
}

/* Reads "10.0.0.1/24": the address and its network. *ret_nobody: no host of
 * that network can have it. */
static bool address_take(const char *text, char out[ADDR_TEXT], char network[ADDR_TEXT], bool *ret_nobody)
{
	char alone[ADDR_TEXT];
	struct addr_range net;
	const char *slash = strchr(text, '/');
	struct addr a;
	bool stray = false;

	*ret_nobody = false;
	if (slash == NULL || strlen(text) >= ADDR_TEXT)
		return false;
	snprintf(alone, sizeof(alone), "%.*s", (int)(slash - text), text);
	if (!addr_parse(alone, &a) || (!prefix_parse(text, &net, &stray) && !stray))
		return false;
	snprintf(out, ADDR_TEXT, "%s", text);
	addr_range_text(&net, network, ADDR_TEXT);
	*ret_nobody = !sides_is_host(&a, &net);
	return strchr(network, '-') == NULL && !*ret_nobody;
}

static bool overlap(const char *one, const char *other)
{
	struct addr_range a, b, both;
	bool stray;

	return prefix_parse(one, &a, &stray) && prefix_parse(other, &b, &stray) && addr_range_meet(&a, &b, &both);
}

/* The answered interface with that network; NULL = none. */
static const char *taken_by(const struct setup *s, const struct setup_interface *x, const char *network)
{
	for (size_t i = 0; i <= s->n_data; i++) {
		const struct setup_interface *o = i < s->n_data ? &s->data[i] : &s->admin;

		for (size_t k = 0; o != x && k < o->n_addresses; k++)
			if (overlap(network, o->networks[k]))
				return o == &s->admin ? message_format(M_SETUP_ADMINISTRATION, s->c->lang) : o->zone;
	}
	return NULL;
}

static enum step_result addresses(struct setup *s, enum message question, struct setup_interface *x)
{
	const char *other;
	char line[SETUP_LINE], *rest = NULL;
	enum step_result r = step_ask_plain(s, question, NULL, line);
	bool nobody = false;

	if (r != STEP_GO)
		return r;
	x->n_addresses = 0;
	for (char *word = strtok_r(line, " ,", &rest); word != NULL; word = strtok_r(NULL, " ,", &rest)) {
		if (x->n_addresses == SETUP_ADDRESSES ||
		    !address_take(word, x->addresses[x->n_addresses], x->networks[x->n_addresses], &nobody)) {
			step_tell(s, nobody ? M_SETUP_SHARED_NOBODY : M_SETUP_ADDRESS_BAD, word, SETUP_ADDRESSES);
			return STEP_STAY;
		}
		other = taken_by(s, x, x->networks[x->n_addresses]);
		if (other != NULL) {
			step_tell(s, M_SETUP_OVERLAP, x->networks[x->n_addresses], other);
			return STEP_STAY;
		}
		x->n_addresses++;
	}
	if (x->n_addresses == 0)
		step_tell(s, M_SETUP_ADDRESS_BAD, "", SETUP_ADDRESSES);
	return x->n_addresses > 0 ? STEP_GO : STEP_STAY;
}

enum step_result step_admin_card(struct setup *s, size_t k)
{
	return card(s, M_SETUP_ADMIN_CARD, k, true, &s->admin.card);
}

enum step_result step_admin_vlan(struct setup *s, size_t k)
{
	return vlan(s, &s->admin, M_SETUP_ADMIN_VLAN, 0, true);
}

enum step_result step_admin_address(struct setup *s, size_t k)
{
	return addresses(s, M_SETUP_ADMIN_ADDRESS, &s->admin);
}

/* Whether the admin network has a router of that address: it is there, and not the box itself. */
static bool is_in_admin(const struct setup *s, const struct addr *router)
{
	bool found = false;

	for (size_t k = 0; k < s->admin.n_addresses; k++) {
		struct addr_range net;
		char own[ADDR_TEXT];
		struct addr a;
		bool stray;

		snprintf(own, sizeof(own), "%.*s", (int)strcspn(s->admin.addresses[k], "/"), s->admin.addresses[k]);
		if (addr_parse(own, &a) && addr_cmp(&a, router) == 0)
			return false;
		found = found || (prefix_parse(s->admin.networks[k], &net, &stray) && addr_in(router, &net) &&
				  sides_is_host(router, &net));
	}
	return found;
}

/* Reads "192.168.7.0/24 via 10.0.0.254", or nothing. */
enum step_result step_terminals(struct setup *s, size_t k)
{
	char line[SETUP_LINE], net[ADDR_TEXT], via[ADDR_TEXT], more;
	enum step_result r = step_ask_plain(s, M_SETUP_TERMINALS, NULL, line);
	struct addr_range range;
	struct addr a;
	bool stray;

	s->terminals[0] = s->via[0] = '\0';
	if (r != STEP_GO || line[0] == '\0')
		return r;
	if (sscanf(line, "%47s via %47s %c", net, via, &more) != 2 || !prefix_parse(net, &range, &stray) ||
	    !addr_parse(via, &a)) {
		step_tell(s, M_SETUP_TERMINALS_BAD, line);
		return STEP_STAY;
	}
	if (!is_in_admin(s, &a)) {
		step_tell(s, M_SETUP_TERMINALS_VIA, via);
		return STEP_STAY;
	}
	for (size_t i = 0; i < s->admin.n_addresses; i++)
		if (overlap(net, s->admin.networks[i])) {
			step_tell(s, M_SETUP_OVERLAP, net, message_format(M_SETUP_ADMINISTRATION, s->c->lang));
			return STEP_STAY;
		}
	snprintf(s->terminals, sizeof(s->terminals), "%s", net);
	snprintf(s->via, sizeof(s->via), "%s", via);
	return STEP_GO;
}

enum step_result step_data_card(struct setup *s, size_t k)
{
	s->n_data = k;
	if (k == SETUP_DATA)
		return STEP_ENOUGH;
	return card(s, k == 0 ? M_SETUP_FIRST_CARD : M_SETUP_NEXT_CARD, k, false, &s->data[k].card);
}

enum step_result step_side_card(struct setup *s, size_t k)
{
	s->n_data = k;
	return card(s, k == 0 ? M_SETUP_FIRST_SIDE : M_SETUP_SECOND_SIDE, k, false, &s->data[k].card);
}

enum step_result step_data_vlan(struct setup *s, size_t k)
{
	return vlan(s, &s->data[k], M_SETUP_DATA_VLAN, k, false);
}

enum step_result step_data_address(struct setup *s, size_t k)
{
	return addresses(s, M_SETUP_DATA_ADDRESS, &s->data[k]);
}
