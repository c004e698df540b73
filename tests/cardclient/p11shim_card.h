/* The test card's memory and its mishaps: files, sessions, presence, faults. Included by p11shim.c only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

#define TRIES 3
#define MOST_SESSIONS 4
#define MOST 64
#define NOWHERE ((CK_SLOT_ID)-1)
#define USER_FLAGS (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED)
#define OFFICER_FLAGS (CKF_SO_PIN_COUNT_LOW | CKF_SO_PIN_FINAL_TRY | CKF_SO_PIN_LOCKED)

static CK_FUNCTION_LIST_PTR real;
static struct { CK_SESSION_HANDLE session; CK_SLOT_ID slot; } open_sessions[MOST];
static struct { CK_SLOT_ID slot; long insertions; } seen[MOST];

/* ---- files ---- */

static const char *root_path(const char *name)
{
    static char text[4096];
    const char *folder = getenv("P11SHIM_DIR");
    snprintf(text, sizeof text, "%s/%s", folder ? folder : ".", name);
    return text;
}

static const char *card_path(CK_SLOT_ID slot, const char *name)
{
    static char text[4200];
    char serial[17] = "";
    CK_TOKEN_INFO info;
    if (slot != NOWHERE && real->C_GetTokenInfo(slot, &info) == CKR_OK)
        sscanf((char *)info.serialNumber, "%16[0-9a-f]", serial);
    if (serial[0] && access(root_path(serial), F_OK) == 0)
        snprintf(text, sizeof text, "%s/%s", root_path(serial), name);
    else
        snprintf(text, sizeof text, "%s", root_path(name));
    return text;
}

static long read_number(CK_SLOT_ID slot, const char *name, long otherwise)
{
    long number = otherwise;
    FILE *file = fopen(card_path(slot, name), "r");
    if (file) {
        if (fscanf(file, "%ld", &number) != 1)
            number = otherwise;
        fclose(file);
    }
    return number;
}

static void write_number(CK_SLOT_ID slot, const char *name, long number)
{
    FILE *file = fopen(card_path(slot, name), "w");
    if (file) {
        fprintf(file, "%ld\n", number);
        fclose(file);
    }
}

/* The value of a key in the card's file, or NULL. */
static const char *setting(CK_SLOT_ID slot, const char *key)
{
    static char line[512];
    size_t length = strlen(key);
    const char *found = NULL;
    FILE *file = fopen(card_path(slot, "card"), "r");
    while (file && !found && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            found = line + length + 1;
    }
    if (file)
        fclose(file);
    return found;
}

static unsigned long number_setting(CK_SLOT_ID slot, const char *key, unsigned long otherwise)
{
    const char *value = setting(slot, key);
    return value ? strtoul(value, NULL, 0) : otherwise;
}

/* PKCS#11 pads its texts with blanks. */
static void put_text(CK_UTF8CHAR *into, size_t size, const char *text)
{
    size_t length = text ? strlen(text) : 0;
    if (!text)
        return;
    memset(into, ' ', size);
    memcpy(into, text, length < size ? length : size);
}

static CK_RV note(const char *name, CK_RV result)
{
    FILE *file = access(root_path("calls"), F_OK) == 0 ? fopen(root_path("calls"), "a") : NULL;
    if (file) {
        fprintf(file, "%s 0x%lx\n", name, result);
        fclose(file);
    }
    return result;
}

/* ---- sessions ---- */

static CK_SLOT_ID slot_of(CK_SESSION_HANDLE session)
{
    int each;
    for (each = 0; each < MOST; each++)
        if (open_sessions[each].session == session && session)
            return open_sessions[each].slot;
    return NOWHERE;
}

static unsigned long count_sessions(CK_SLOT_ID slot)
{
    unsigned long each, count = 0;
    for (each = 0; each < MOST; each++)
        count += open_sessions[each].session && open_sessions[each].slot == slot;
    return count;
}

static void remember(CK_SESSION_HANDLE session, CK_SLOT_ID slot)
{
    int each;
    for (each = 0; each < MOST; each++)
        if (!open_sessions[each].session) {
            open_sessions[each].session = session;
            open_sessions[each].slot = slot;
            return;
        }
}

static void forget(CK_SESSION_HANDLE session)
{
    int each;
    for (each = 0; each < MOST; each++)
        if (open_sessions[each].session == session)
            open_sessions[each].session = 0;
}

static void forget_slot(CK_SLOT_ID slot)
{
    int each;
    for (each = 0; each < MOST; each++)
        if (open_sessions[each].slot == slot || slot == NOWHERE)
            open_sessions[each].session = 0;
}

/* ---- presence ---- */

static int is_unplugged(CK_SLOT_ID slot)
{
    return access(card_path(slot, "unplugged"), F_OK) == 0;
}

/* A card that was out has forgotten its sessions and logins. */
static CK_RV gone(CK_SLOT_ID slot)
{
    CK_SLOT_ID slots[MOST];
    CK_ULONG count = MOST, each;
    if (slot != NOWHERE)
        real->C_CloseAllSessions(slot);
    else if (real->C_GetSlotList(CK_TRUE, slots, &count) == CKR_OK)
        for (each = 0; each < count; each++)
            real->C_CloseAllSessions(slots[each]);
    forget_slot(slot);
    return CKR_DEVICE_REMOVED;
}

static int was_out_meanwhile(CK_SLOT_ID slot)
{
    long insertions = read_number(slot, "insertions", 0);
    int each;
    for (each = 0; each < MOST && seen[each].slot; each++)
        if (seen[each].slot == slot) {
            int changed = seen[each].insertions != insertions;
            seen[each].insertions = insertions;
            return changed;
        }
    if (each < MOST) {
        seen[each].slot = slot;
        seen[each].insertions = insertions;
    }
    return 0;
}

static int is_out(CK_SLOT_ID slot)
{
    int out = access(card_path(slot, "out"), F_OK) == 0 || is_unplugged(slot);
    if (out || was_out_meanwhile(slot))
        gone(slot);
    return out;
}

/* ---- mishaps ---- */

static CK_RV strike(CK_SLOT_ID slot, const char *what)
{
    FILE *file;
    if (strcmp(what, "crash") == 0)
        abort();
    if (strcmp(what, "hang") == 0)
        for (;;)
            sleep(60);
    if (strcmp(what, "out") == 0) {
        file = fopen(card_path(slot, "out"), "w");
        if (file)
            fclose(file);
        return gone(slot);
    }
    return strtoul(what, NULL, 0);
}

/* Count a call against the planned mishaps, the first line that names it; `when` is before or after. */
static CK_RV fault(CK_SLOT_ID slot, const char *name, const char *when)
{
    char text[4096] = "", rest[4096] = "", struck[32] = "", wanted[64], moment[16], what[32], *line, *next;
    int nth, counted = 0;
    FILE *file = fopen(root_path("fault"), "r");
    if (!file)
        return CKR_OK;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    for (line = strtok_r(text, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
        size_t used = strlen(rest);
        if (sscanf(line, "%63s %d %15s %31s", wanted, &nth, moment, what) != 4)
            continue;
        if (!counted && strcmp(wanted, name) == 0 && strcmp(moment, when) == 0) {
            counted = 1;
            if (nth <= 1) {
                strcpy(struck, what);
                continue;
            }
            nth--;
        }
        snprintf(rest + used, sizeof rest - used, "%s %d %s %s\n", wanted, nth, moment, what);
    }
    if (!counted)
        return CKR_OK;
    file = rest[0] ? fopen(root_path("fault"), "w") : NULL;
    if (file) {
        fputs(rest, file);
        fclose(file);
    } else {
        unlink(root_path("fault"));
    }
    return struck[0] ? strike(slot, struck) : CKR_OK;
}

static CK_RV before(CK_SLOT_ID slot, const char *name)
{
    char function[64];
    int milliseconds;
    const char *slow = setting(slot, "slow");
    if (slow && sscanf(slow, "%63s %d", function, &milliseconds) == 2 && strcmp(function, name) == 0)
        usleep(milliseconds * 1000);
    return is_out(slot) ? CKR_DEVICE_REMOVED : fault(slot, name, "before");
}

static CK_RV after(CK_SLOT_ID slot, const char *name, CK_RV result)
{
    CK_RV failed = result == CKR_OK ? fault(slot, name, "after") : CKR_OK;
    return note(name, failed != CKR_OK ? failed : result);
}
