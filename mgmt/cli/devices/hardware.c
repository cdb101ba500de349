/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/json_each.h"
#include "mgmt/cli/devices/devices.h"

#define NETWORK_CLASS 0x02u /* PCI Code and ID Assignment 1.11, 1.3 */
#define CARDS_MAX 64u

/* Drivers and kernels that Sekisho was run on (docs/runs.md, docs/install.md). */
static const char *const drivers_tried[] = { "virtio_net", "e1000", "e1000e", "vmxnet3" };
static const char *const kernels_tried[] = { "6.1.", "6.12.", "6.18." };

/* Features that may be built into the kernel, by the file name of their module. */
static const struct {
	const char *name, *module;
} means[] = {
	{ "queue", "nft_queue" },
	{ "queue_target", "xt_NFQUEUE" },
	{ "vlan", "8021q" },
	{ "bridge", "bridge" },
	{ "bridge_sessions", "nf_conntrack_bridge" },
	{ "bpf_match", "xt_bpf" },
	{ "disk_encryption", "dm-crypt" },
};

/* "ROOT/FOLDER/NAME", without NAME when that is "". False: too long. */
static bool path_of(char ret[PATH_MAX], const char *root, const char *folder, const char *name)
{
	return snprintf(ret, PATH_MAX, "%s%s%s%s", root, folder, name[0] != '\0' ? "/" : "", name) < PATH_MAX;
}

static FILE *opened(const char *root, const char *folder, const char *name)
{
	char path[PATH_MAX];

	return path_of(path, root, folder, name) ? fopen(path, "re") : NULL;
}

static DIR *listed(const char *root, const char *folder, const char *name)
{
	char path[PATH_MAX];

	return path_of(path, root, folder, name) ? opendir(path) : NULL;
}

/* The folder's next name without a leading dot; NULL at the end. */
static const char *next_name(DIR *d)
{
	const struct dirent *e = NULL;

	while (d != NULL && (e = readdir(d)) != NULL && e->d_name[0] == '.')
		;
	return e != NULL ? e->d_name : NULL;
}

/* The first line of a file without surrounding blanks. */
static bool first_line(const char *root, const char *folder, const char *name, char *out, size_t size)
{
	FILE *f = opened(root, folder, name);
	bool ok = f != NULL && fgets(out, (int)size, f) != NULL;
	size_t n = ok ? strlen(out) : 0;

	if (f != NULL)
		fclose(f);
	while (n > 0 && isspace((unsigned char)out[n - 1]))
		n--;
	out[n] = '\0';
	return n > 0;
}

static json_t *line_json(const char *root, const char *folder, const char *name)
{
	char text[256];

	return first_line(root, folder, name, text, sizeof(text)) ? json_text(text) : json_null();
}

static bool begins_with_one(const char *text, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strncmp(text, list[i], strlen(list[i])) == 0)
			return true;
	return false;
}

/* The number of names in the folder that begin with `begin`; -1: there is no such folder. */
static int count(const char *root, const char *folder, const char *of, const char *begin)
{
	DIR *d = listed(root, folder, of);
	const char *name;
	int n = d != NULL ? 0 : -1;

	while ((name = next_name(d)) != NULL)
		if (strncmp(name, begin, strlen(begin)) == 0 &&
		    (begin[0] == '\0' || isdigit((unsigned char)name[strlen(begin)])))
			n++;
	if (d != NULL)
		closedir(d);
	return n;
}

static bool is_one_of(const char *text, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(text, list[i]) == 0)
			return true;
	return false;
}

static json_t *count_json(const char *root, const char *folder, const char *of, const char *begin)
{
	int n = count(root, folder, of, begin);

	return n < 0 ? json_null() : json_integer(n);
}

static json_t *names(const char *root, const char *path, const char *begin)
{
	DIR *d = listed(root, path, "");
	json_t *list = json_array();
	const char *name;

	while ((name = next_name(d)) != NULL)
		if (strncmp(name, begin, strlen(begin)) == 0)
			json_array_append_new(list, json_text(name));
	if (d != NULL)
		closedir(d);
	return list;
}

/* Serial lines with hardware: unused names of the kernel have type 0. Without the right to read the
 * type, all are listed. */
static json_t *serial(const char *root)
{
	json_t *all = names(root, "/sys/class/tty", "ttyS"), *list = json_array();

	json_each(one, all) {
		char line[PATH_MAX], type[16];

		if (!path_of(line, "", "/sys/class/tty", json_string_value(one)) ||
		    !first_line(root, line, "type", type, sizeof(type)) || strcmp(type, "0") != 0)
			json_array_append(list, one);
	}
	json_decref(all);
	return list;
}

/* ---- cards ----------------------------------------------------------------------------------- */

/* The folder of a device's interface, under the device or its virtio device; false: it is in
 * another namespace, or there is none. */
static bool interface_of(const char *root, const char *device, char ret[PATH_MAX])
{
	DIR *d = listed(root, device, "");
	const char *name;
	bool found = false;

	while (!found && (name = next_name(d)) != NULL) {
		char at[PATH_MAX], below[PATH_MAX];
		bool plain = strcmp(name, "net") == 0;
		DIR *in;

		if (!plain && strncmp(name, "virtio", 6) != 0)
			continue;
		if (!path_of(at, "", device, name) || !path_of(below, "", at, plain ? "" : "net"))
			continue;
		in = listed(root, below, "");
		name = next_name(in);
		found = name != NULL && path_of(ret, "", below, name);
		if (in != NULL)
			closedir(in);
	}
	if (d != NULL)
		closedir(d);
	return found;
}

static bool driver_of(const char *root, const char *device, char *out, size_t size)
{
	char path[PATH_MAX], to[PATH_MAX];
	ssize_t n = path_of(path, root, device, "driver") ? readlink(path, to, sizeof(to) - 1) : -1;

	if (n <= 0)
		return false;
	to[n] = '\0';
	snprintf(out, size, "%.60s", strrchr(to, '/') != NULL ? strrchr(to, '/') + 1 : to);
	if (strcmp(out, "virtio-pci") == 0) /* virtio-pci carries the card and is not its driver */
		snprintf(out, size, "virtio_net");
	return true;
}

static json_t *card_json(const char *root, const char *device, const char *address)
{
	char driver[64] = "", net[PATH_MAX] = "", vendor[16] = "", id[16] = "", speed[16] = "";
	const char *name = interface_of(root, device, net) ? strrchr(net, '/') + 1 : NULL;
	bool has_driver = driver_of(root, device, driver, sizeof(driver));
	bool has_id = first_line(root, device, "vendor", vendor, sizeof(vendor)) &&
		      first_line(root, device, "device", id, sizeof(id));
	bool has_speed = name != NULL && first_line(root, net, "speed", speed, sizeof(speed));
	long mbit = has_speed ? strtol(speed, NULL, 10) : 0;

	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:b}", "address", json_text(address), "device",
			 has_id ? json_sprintf("%s:%s", vendor, id) : json_null(), "interface", json_text(name),
			 "driver", json_text(has_driver ? driver : NULL), "queues",
			 name != NULL ? count_json(root, net, "queues", "rx-") : json_null(), "interrupts",
			 count_json(root, device, "msi_irqs", ""), "speed_mbit",
			 mbit > 0 ? json_integer(mbit) : json_null(), "tried",
			 is_one_of(driver, drivers_tried, sizeof(drivers_tried) / sizeof(drivers_tried[0])));
}

static bool is_card(const char *root, const char *bus, const char *device)
{
	char net[PATH_MAX], class[16];

	if (strcmp(bus, "/sys/bus/pci/devices") != 0)
		return interface_of(root, device, net);
	return first_line(root, device, "class", class, sizeof(class)) &&
	       strtoul(class, NULL, 16) >> 16 == NETWORK_CLASS;
}

/* Inserts in the order of the addresses. Takes over `card`. */
static void add_card(json_t *list, json_t *card, const char *address)
{
	size_t at = 0;

	while (at < json_array_size(list) &&
	       strcmp(json_string_value(json_object_get(json_array_get(list, at), "address")), address) < 0)
		at++;
	json_array_insert_new(list, at, card);
}

static void add_cards(const char *root, const char *bus, json_t *list)
{
	DIR *d = listed(root, bus, "");
	const char *name;

	while ((name = next_name(d)) != NULL && json_array_size(list) < CARDS_MAX) {
		char device[PATH_MAX];

		if (path_of(device, "", bus, name) && is_card(root, bus, device))
			add_card(list, card_json(root, device, name), name);
	}
	if (d != NULL)
		closedir(d);
}

static json_t *cards(const char *root)
{
	json_t *all = json_array();

	add_cards(root, "/sys/bus/pci/devices", all);
	add_cards(root, "/sys/bus/usb/devices", all);
	return all;
}

/* ---- the kernel ------------------------------------------------------------------------------ */

/* Whether a list of modules contains this module's file: "kernel/net/netfilter/nft_queue.ko.xz:
 * ...". */
static bool in_list(const char *root, const char *release, const char *list, const char *module)
{
	char folder[PATH_MAX], wanted[64];
	char *line = NULL;
	size_t room = 0;
	bool found = false;
	FILE *f = path_of(folder, "", "/lib/modules", release) ? opened(root, folder, list) : NULL;

	snprintf(wanted, sizeof(wanted), "/%s.ko", module);
	while (f != NULL && !found && getline(&line, &room, f) > 0) {
		line[strcspn(line, ":")] = '\0';
		found = strstr(line, wanted) != NULL;
	}
	free(line);
	if (f != NULL)
		fclose(f);
	return found;
}

/* Null: unknown, because there is no list of built-in modules and the module has no folder of its
 * own. */
static json_t *has_module(const char *root, const char *release, const char *module)
{
	char folder[PATH_MAX];
	FILE *list = path_of(folder, "", "/lib/modules", release) ? opened(root, folder, "modules.dep") : NULL;
	DIR *loaded = listed(root, "/sys/module", module);
	json_t *ret = loaded != NULL ? json_true() : json_null();

	if (loaded != NULL)
		closedir(loaded);
	if (list == NULL)
		return ret;
	fclose(list);
	json_decref(ret);
	return json_boolean(loaded != NULL || in_list(root, release, "modules.dep", module) ||
			    in_list(root, release, "modules.builtin", module));
}

/* Tables with an owner that survive it: Linux 6.9 (docs/decisions/table-owner.md). */
static bool has_owners(const char *release)
{
	char *rest;
	unsigned long major = strtoul(release, &rest, 10), minor = *rest == '.' ? strtoul(rest + 1, NULL, 10) : 0;

	return major > 6 || (major == 6 && minor >= 9);
}

/* Takes over `there`. */
static json_t *mean_json(const char *name, json_t *there)
{
	return json_pack("{s:s,s:o}", "name", name, "there", there);
}

static json_t *kernel(const char *root)
{
	char release[128] = "", text[16];
	json_t *list = json_array();

	first_line(root, "/proc/sys/kernel", "osrelease", release, sizeof(release));
	for (size_t i = 0; i < sizeof(means) / sizeof(means[0]); i++)
		json_array_append_new(list, mean_json(means[i].name, has_module(root, release, means[i].module)));
	json_array_append_new(
		list, mean_json("bpf", json_boolean(first_line(root, "/proc/sys/kernel", "unprivileged_bpf_disabled",
							       text, sizeof(text)))));
	json_array_append_new(list, mean_json("owned_table", json_boolean(has_owners(release))));
	return json_pack("{s:o,s:b,s:o}", "release", json_text(release), "tried",
			 begins_with_one(release, kernels_tried, sizeof(kernels_tried) / sizeof(kernels_tried[0])),
			 "means", list);
}

/* Parses "MemTotal:        8126464 kB". */
static json_t *memory(const char *root)
{
	static const char begins[] = "MemTotal:";
	char line[128];
	unsigned long long kib;

	if (!first_line(root, "/proc/meminfo", "", line, sizeof(line)) || strncmp(line, begins, strlen(begins)) != 0)
		return json_null();
	kib = strtoull(line + strlen(begins), NULL, 10);
	return kib > 0 ? json_integer((json_int_t)(kib * 1024)) : json_null();
}

/* Apart from cards and kernels: what Sekisho met only in emulated machines, and what it never uses
 * (docs/install.md). */
static json_t *tried_json(void)
{
	return json_pack("{s:s,s:s,s:s,s:s}", "tpm", "emulated", "clock", "emulated", "watchdog", "no", "serial",
			 "emulated");
}

json_t *hardware_read(const char *root)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "vendor",
			 line_json(root, "/sys/class/dmi/id", "sys_vendor"), "model",
			 line_json(root, "/sys/class/dmi/id", "product_name"), "processors",
			 count_json(root, "/sys/devices/system", "cpu", "cpu"), "memory", memory(root), "kernel",
			 kernel(root), "cards", cards(root), "tpm",
			 line_json(root, "/sys/class/tpm/tpm0", "tpm_version_major"), "clocks",
			 names(root, "/sys/class/rtc", "rtc"), "watchdogs",
			 names(root, "/sys/class/watchdog", "watchdog"), "serial", serial(root), "tried", tried_json());
}
