/*
 * A test card: a PKCS#11 module that forwards to SoftHSM2 (P11SHIM_MODULE) and adds what SoftHSM2 does not do.
 *
 * Each card has a folder: P11SHIM_DIR/<SoftHSM2's serial> where that exists, else P11SHIM_DIR itself. In it:
 *   pin_left, puk_left  tries left; they survive a restart and lock at 0
 *   out                 the card is out of the reader;  unplugged: the reader is gone too
 *   insertions          a number; when it changes, the card has forgotten its sessions and logins
 *   card                what the card says of itself, one "key value" a line:
 *     label, model, serial, manufacturer, reader   texts of token and slot
 *     set-flags, clear-flags                       flags of the token, hexadecimal
 *     personalised no                              not initialised, opens no session
 *     certificate broken | 0x30                    values of certificates are garbage, or reading them fails with a CKR
 *     pin-length 5 8                               codes outside are CKR_PIN_LEN_RANGE and no try
 *     free-memory 4096                             octets; else not told
 *     slow C_GenerateKeyPair 800                   milliseconds that every call of a function takes
 *     most-sessions 4                              more at a time are refused
 * In P11SHIM_DIR: `fault`, one mishap a line ("C_Sign 2 after 0x30"): the nth call of a function from now on fails before
 * or after its effect, once, with a CKR, or `out` (the card is pulled), `crash`, `hang`. `calls`: where it exists, every
 * call is appended with its result; never an argument.
 */
#include <dlfcn.h>

#include "p11shim_card.h"

static CK_FUNCTION_LIST list;

/* ---- functions that only forward ---- */

#define FORWARD(name, slot, parameters, arguments)    \
    static CK_RV shim_##name parameters               \
    {                                                 \
        CK_RV failed = before(slot, #name);           \
        if (failed != CKR_OK)                         \
            return note(#name, failed);               \
        return after(slot, #name, real->name arguments); \
    }
#define OF_SESSION slot_of(session)

FORWARD(C_FindObjectsInit, OF_SESSION, (CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR wanted, CK_ULONG count), (session, wanted, count))
FORWARD(C_FindObjects, OF_SESSION, (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE_PTR found, CK_ULONG most, CK_ULONG_PTR count),
        (session, found, most, count))
FORWARD(C_FindObjectsFinal, OF_SESSION, (CK_SESSION_HANDLE session), (session))
FORWARD(C_CreateObject, OF_SESSION, (CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR parts, CK_ULONG count, CK_OBJECT_HANDLE_PTR object),
        (session, parts, count, object))
FORWARD(C_DestroyObject, OF_SESSION, (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object), (session, object))
FORWARD(C_SetAttributeValue, OF_SESSION, (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR parts, CK_ULONG count),
        (session, object, parts, count))
FORWARD(C_SignInit, OF_SESSION, (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key), (session, mechanism, key))
FORWARD(C_Sign, OF_SESSION, (CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG size, CK_BYTE_PTR value, CK_ULONG_PTR length),
        (session, data, size, value, length))
FORWARD(C_GenerateKeyPair, OF_SESSION,
        (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR public_parts, CK_ULONG public_count,
         CK_ATTRIBUTE_PTR private_parts, CK_ULONG private_count, CK_OBJECT_HANDLE_PTR public_key, CK_OBJECT_HANDLE_PTR private_key),
        (session, mechanism, public_parts, public_count, private_parts, private_count, public_key, private_key))
FORWARD(C_GetMechanismList, slot, (CK_SLOT_ID slot, CK_MECHANISM_TYPE_PTR mechanisms, CK_ULONG_PTR count), (slot, mechanisms, count))
FORWARD(C_Logout, OF_SESSION, (CK_SESSION_HANDLE session), (session))

/* ---- the library ---- */

static CK_RV shim_C_Initialize(void *arguments)
{
    CK_RV failed = fault(NOWHERE, "C_Initialize", "before");
    return note("C_Initialize", failed != CKR_OK ? failed : real->C_Initialize(arguments));
}

static CK_RV shim_C_GetInfo(CK_INFO_PTR info)
{
    CK_RV failed = fault(NOWHERE, "C_GetInfo", "before");
    return note("C_GetInfo", failed != CKR_OK ? failed : real->C_GetInfo(info));
}

static CK_RV shim_C_Finalize(void *reserved)
{
    forget_slot(NOWHERE);
    return note("C_Finalize", real->C_Finalize(reserved));
}

/* ---- slots and tokens ---- */

/* SoftHSM2 always shows one more token to be initialised; a card reader has no such thing. */
static int is_hidden(CK_SLOT_ID slot, CK_BBOOL present)
{
    CK_TOKEN_INFO info;
    if (real->C_GetTokenInfo(slot, &info) == CKR_OK && !(info.flags & CKF_TOKEN_INITIALIZED))
        return 1;
    return is_unplugged(slot) || (present && is_out(slot));
}

static CK_RV shim_C_GetSlotList(CK_BBOOL present, CK_SLOT_ID_PTR slots, CK_ULONG_PTR count)
{
    CK_SLOT_ID all[MOST];
    CK_ULONG size = MOST, kept = 0, each;
    CK_RV result = fault(NOWHERE, "C_GetSlotList", "before");
    if (result == CKR_OK)
        result = real->C_GetSlotList(CK_FALSE, all, &size);
    for (each = 0; result == CKR_OK && each < size; each++)
        if (!is_hidden(all[each], present))
            all[kept++] = all[each];
    if (result == CKR_OK && slots && *count < kept)
        result = CKR_BUFFER_TOO_SMALL;
    else if (result == CKR_OK && slots)
        memcpy(slots, all, kept * sizeof *slots);
    *count = kept;
    return note("C_GetSlotList", result);
}

static CK_RV shim_C_GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO_PTR info)
{
    CK_RV result = fault(slot, "C_GetSlotInfo", "before");
    if (result == CKR_OK)
        result = real->C_GetSlotInfo(slot, info);
    if (result == CKR_OK)
        put_text(info->slotDescription, sizeof info->slotDescription, setting(slot, "reader"));
    if (result == CKR_OK && is_out(slot))
        info->flags &= ~CKF_TOKEN_PRESENT;
    return note("C_GetSlotInfo", result);
}

static CK_FLAGS flags_of(long left, CK_FLAGS low, CK_FLAGS final, CK_FLAGS locked)
{
    return left == 0 ? locked : left == 1 ? final : left < TRIES ? low : 0;
}

static void describe(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
    const char *personalised = setting(slot, "personalised");
    info->flags &= ~(USER_FLAGS | OFFICER_FLAGS);
    if (personalised && strcmp(personalised, "no") == 0)
        info->flags &= ~(CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED);
    info->flags |= flags_of(read_number(slot, "pin_left", TRIES), CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED);
    info->flags |= flags_of(read_number(slot, "puk_left", TRIES), CKF_SO_PIN_COUNT_LOW, CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_LOCKED);
    info->flags |= number_setting(slot, "set-flags", 0);
    info->flags &= ~number_setting(slot, "clear-flags", 0);
    info->ulFreePublicMemory = info->ulFreePrivateMemory = number_setting(slot, "free-memory", CK_UNAVAILABLE_INFORMATION);
    put_text(info->label, sizeof info->label, setting(slot, "label"));
    put_text(info->model, sizeof info->model, setting(slot, "model"));
    put_text(info->manufacturerID, sizeof info->manufacturerID, setting(slot, "manufacturer"));
    put_text((CK_UTF8CHAR *)info->serialNumber, sizeof info->serialNumber, setting(slot, "serial"));
}

static CK_RV shim_C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
    CK_RV result = is_out(slot) ? CKR_TOKEN_NOT_PRESENT : fault(slot, "C_GetTokenInfo", "before");
    if (result == CKR_OK)
        result = real->C_GetTokenInfo(slot, info);
    if (result == CKR_OK)
        describe(slot, info);
    return note("C_GetTokenInfo", result);
}

/* ---- sessions and codes ---- */

/* Cards have few sessions: whoever leaks them is soon refused. */
static CK_RV shim_C_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify, CK_SESSION_HANDLE_PTR session)
{
    CK_RV result = before(slot, "C_OpenSession");
    const char *personalised = setting(slot, "personalised");
    if (result == CKR_OK && personalised && strcmp(personalised, "no") == 0)
        result = CKR_TOKEN_NOT_RECOGNIZED;
    if (result == CKR_OK && count_sessions(slot) >= number_setting(slot, "most-sessions", MOST_SESSIONS))
        result = CKR_SESSION_COUNT;
    if (result != CKR_OK)
        return note("C_OpenSession", result);
    result = real->C_OpenSession(slot, flags, application, notify, session);
    if (result == CKR_OK)
        remember(*session, slot);
    return after(slot, "C_OpenSession", result);
}

static CK_RV shim_C_CloseSession(CK_SESSION_HANDLE session)
{
    CK_SLOT_ID slot = slot_of(session);
    CK_RV result = real->C_CloseSession(session);
    forget(session);
    return after(slot, "C_CloseSession", result);
}

static CK_RV shim_C_CloseAllSessions(CK_SLOT_ID slot)
{
    forget_slot(slot);
    return after(slot, "C_CloseAllSessions", real->C_CloseAllSessions(slot));
}

static int has_code_length(CK_SLOT_ID slot, CK_ULONG length)
{
    unsigned long least, most;
    const char *range = setting(slot, "pin-length");
    return !range || sscanf(range, "%lu %lu", &least, &most) != 2 || (length >= least && length <= most);
}

/* Count a wrong code; the one that uses up the last try is answered as locked. */
static CK_RV count_try(CK_SLOT_ID slot, const char *counter, CK_RV result)
{
    long left = read_number(slot, counter, TRIES);
    if (result == CKR_OK)
        write_number(slot, counter, TRIES);
    if (result != CKR_PIN_INCORRECT)
        return result;
    write_number(slot, counter, left - 1);
    return left <= 1 ? CKR_PIN_LOCKED : result;
}

static CK_RV may_try(CK_SLOT_ID slot, const char *counter, CK_ULONG length)
{
    if (!has_code_length(slot, length))
        return CKR_PIN_LEN_RANGE;
    return read_number(slot, counter, TRIES) > 0 ? CKR_OK : CKR_PIN_LOCKED;
}

static CK_RV shim_C_Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG length)
{
    CK_SLOT_ID slot = slot_of(session);
    const char *counter = user == CKU_SO ? "puk_left" : "pin_left";
    CK_RV result = before(slot, "C_Login");
    if (result == CKR_OK)
        result = may_try(slot, counter, length);
    if (result != CKR_OK)
        return note("C_Login", result);
    return after(slot, "C_Login", count_try(slot, counter, real->C_Login(session, user, pin, length)));
}

static CK_RV shim_C_InitPIN(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR pin, CK_ULONG length)
{
    CK_SLOT_ID slot = slot_of(session);
    CK_RV result = before(slot, "C_InitPIN");
    if (result == CKR_OK && !has_code_length(slot, length))
        result = CKR_PIN_LEN_RANGE;
    if (result != CKR_OK)
        return note("C_InitPIN", result);
    result = real->C_InitPIN(session, pin, length);
    if (result == CKR_OK)
        write_number(slot, "pin_left", TRIES);
    return after(slot, "C_InitPIN", result);
}

static CK_RV shim_C_SetPIN(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR old, CK_ULONG old_length, CK_UTF8CHAR_PTR pin, CK_ULONG length)
{
    CK_SLOT_ID slot = slot_of(session);
    CK_RV result = before(slot, "C_SetPIN");
    if (result == CKR_OK)
        result = may_try(slot, "pin_left", old_length);
    if (result == CKR_OK && !has_code_length(slot, length))
        result = CKR_PIN_LEN_RANGE;
    if (result != CKR_OK)
        return note("C_SetPIN", result);
    return after(slot, "C_SetPIN", count_try(slot, "pin_left", real->C_SetPIN(session, old, old_length, pin, length)));
}

/* ---- objects ---- */

static CK_RV spoil(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR wanted, CK_ULONG count, const char *how)
{
    CK_OBJECT_CLASS class = CKO_DATA;
    CK_ATTRIBUTE ask = {CKA_CLASS, &class, sizeof class};
    CK_ULONG each;
    if (real->C_GetAttributeValue(session, object, &ask, 1) != CKR_OK || class != CKO_CERTIFICATE)
        return CKR_OK;
    for (each = 0; each < count; each++) {
        if (wanted[each].type != CKA_VALUE)
            continue;
        if (strcmp(how, "broken") != 0)
            return strtoul(how, NULL, 0);
        if (wanted[each].pValue)
            memset(wanted[each].pValue, 0xFF, wanted[each].ulValueLen < 8 ? wanted[each].ulValueLen : 8);
    }
    return CKR_OK;
}

static CK_RV shim_C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR wanted, CK_ULONG count)
{
    CK_SLOT_ID slot = slot_of(session);
    CK_RV result = before(slot, "C_GetAttributeValue");
    char how[32] = "";
    const char *certificate = setting(slot, "certificate");
    if (result != CKR_OK)
        return note("C_GetAttributeValue", result);
    if (certificate)
        snprintf(how, sizeof how, "%s", certificate);
    result = real->C_GetAttributeValue(session, object, wanted, count);
    if (result == CKR_OK && how[0])
        result = spoil(session, object, wanted, count, how);
    return after(slot, "C_GetAttributeValue", result);
}

#define SHIMMED(name) list.name = shim_##name

static void fill_list(void)
{
    list = *real;
    list.C_GetFunctionList = C_GetFunctionList;
    SHIMMED(C_Initialize), SHIMMED(C_Finalize), SHIMMED(C_GetInfo);
    SHIMMED(C_GetSlotList), SHIMMED(C_GetSlotInfo), SHIMMED(C_GetTokenInfo), SHIMMED(C_GetMechanismList);
    SHIMMED(C_OpenSession), SHIMMED(C_CloseSession), SHIMMED(C_CloseAllSessions);
    SHIMMED(C_Login), SHIMMED(C_Logout), SHIMMED(C_InitPIN), SHIMMED(C_SetPIN);
    SHIMMED(C_FindObjectsInit), SHIMMED(C_FindObjects), SHIMMED(C_FindObjectsFinal);
    SHIMMED(C_GetAttributeValue), SHIMMED(C_SetAttributeValue), SHIMMED(C_CreateObject), SHIMMED(C_DestroyObject);
    SHIMMED(C_SignInit), SHIMMED(C_Sign), SHIMMED(C_GenerateKeyPair);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR functions)
{
    if (!real) {
        const char *module = getenv("P11SHIM_MODULE");
        void *library = module ? dlopen(module, RTLD_NOW) : NULL;
        CK_RV (*get)(CK_FUNCTION_LIST_PTR_PTR) = library ? (CK_RV(*)(CK_FUNCTION_LIST_PTR_PTR))dlsym(library, "C_GetFunctionList") : NULL;
        if (!get || get(&real) != CKR_OK)
            return CKR_GENERAL_ERROR;
        fill_list();
    }
    *functions = &list;
    return CKR_OK;
}
