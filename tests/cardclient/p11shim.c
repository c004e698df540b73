/*
 * A test card: a PKCS#11 module that forwards to SoftHSM2 and adds what SoftHSM2 does not do.
 *
 * In the folder P11SHIM_DIR: `pin_left` and `puk_left` count tries and lock at 0; a file `out` means the card is out of
 * the reader; a file `fault` ("C_Sign 2 after 0x30") makes the nth call of a function fail before or after its effect,
 * once. Instead of a return value it may say `out` (the card is pulled), `crash` or `hang`. More than four sessions at
 * a time are refused. P11SHIM_MODULE is SoftHSM2.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

#define TRIES 3
#define MOST_SESSIONS 4

static int sessions;
static CK_FUNCTION_LIST list;
static CK_FUNCTION_LIST_PTR real;

static const char *path(const char *name)
{
    static char text[4096];
    const char *folder = getenv("P11SHIM_DIR");
    snprintf(text, sizeof text, "%s/%s", folder ? folder : ".", name);
    return text;
}

static int read_left(const char *name)
{
    int left = TRIES;
    FILE *file = fopen(path(name), "r");
    if (file) {
        if (fscanf(file, "%d", &left) != 1)
            left = TRIES;
        fclose(file);
    }
    return left;
}

static void write_left(const char *name, int left)
{
    FILE *file = fopen(path(name), "w");
    if (file) {
        fprintf(file, "%d\n", left);
        fclose(file);
    }
}

static int is_out(void)
{
    return access(path("out"), F_OK) == 0;
}

/* A card that was out has forgotten its sessions and logins. */
static CK_RV gone(void)
{
    CK_SLOT_ID slots[16];
    CK_ULONG count = 16, each;
    if (real->C_GetSlotList(CK_TRUE, slots, &count) == CKR_OK)
        for (each = 0; each < count; each++)
            real->C_CloseAllSessions(slots[each]);
    sessions = 0;
    return CKR_DEVICE_REMOVED;
}

static CK_RV strike(const char *what)
{
    unlink(path("fault"));
    if (strcmp(what, "crash") == 0)
        abort();
    if (strcmp(what, "hang") == 0)
        for (;;)
            sleep(60);
    if (strcmp(what, "out") == 0) {
        fclose(fopen(path("out"), "w"));
        return gone();
    }
    return strtoul(what, NULL, 0);
}

/* Count a call against the planned fault; `when` is before or after. */
static CK_RV fault(const char *name, const char *when)
{
    char wanted[64], moment[16], what[32];
    int nth;
    FILE *file = fopen(path("fault"), "r");
    if (!file)
        return CKR_OK;
    nth = fscanf(file, "%63s %d %15s %31s", wanted, &nth, moment, what) == 4 ? nth : -1;
    fclose(file);
    if (nth < 0 || strcmp(wanted, name) != 0 || strcmp(moment, when) != 0)
        return CKR_OK;
    if (nth <= 1)
        return strike(what);
    file = fopen(path("fault"), "w");
    fprintf(file, "%s %d %s %s\n", wanted, nth - 1, moment, what);
    fclose(file);
    return CKR_OK;
}

static CK_RV before(const char *name)
{
    return is_out() ? gone() : fault(name, "before");
}

static CK_RV after(const char *name, CK_RV result)
{
    CK_RV failed = result == CKR_OK ? fault(name, "after") : CKR_OK;
    return failed != CKR_OK ? failed : result;
}

#define FORWARD(name, parameters, arguments)          \
    static CK_RV shim_##name parameters               \
    {                                                 \
        CK_RV failed = before(#name);                 \
        if (failed != CKR_OK)                         \
            return failed;                            \
        return after(#name, real->name arguments);    \
    }

/* Cards have few sessions: whoever leaks them is soon refused. */
static CK_RV shim_C_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify, CK_SESSION_HANDLE_PTR session)
{
    CK_RV result = before("C_OpenSession");
    if (result != CKR_OK)
        return result;
    if (sessions >= MOST_SESSIONS)
        return CKR_SESSION_COUNT;
    result = real->C_OpenSession(slot, flags, application, notify, session);
    sessions += result == CKR_OK;
    return after("C_OpenSession", result);
}

static CK_RV shim_C_CloseSession(CK_SESSION_HANDLE session)
{
    CK_RV result = real->C_CloseSession(session);
    sessions -= result == CKR_OK;
    return result;
}

static CK_RV shim_C_Finalize(void *reserved)
{
    sessions = 0;
    return real->C_Finalize(reserved);
}

FORWARD(C_FindObjectsInit, (CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR wanted, CK_ULONG count), (session, wanted, count))
FORWARD(C_GetAttributeValue, (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR wanted, CK_ULONG count),
        (session, object, wanted, count))
FORWARD(C_CreateObject, (CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR parts, CK_ULONG count, CK_OBJECT_HANDLE_PTR object),
        (session, parts, count, object))
FORWARD(C_DestroyObject, (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object), (session, object))
FORWARD(C_SignInit, (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key), (session, mechanism, key))
FORWARD(C_Sign, (CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG size, CK_BYTE_PTR value, CK_ULONG_PTR length),
        (session, data, size, value, length))
FORWARD(C_GenerateKeyPair,
        (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR public_parts, CK_ULONG public_count,
         CK_ATTRIBUTE_PTR private_parts, CK_ULONG private_count, CK_OBJECT_HANDLE_PTR public_key, CK_OBJECT_HANDLE_PTR private_key),
        (session, mechanism, public_parts, public_count, private_parts, private_count, public_key, private_key))

static CK_RV shim_C_GetSlotList(CK_BBOOL present, CK_SLOT_ID_PTR slots, CK_ULONG_PTR count)
{
    if (present && is_out()) {
        gone();
        *count = 0;
        return CKR_OK;
    }
    return real->C_GetSlotList(present, slots, count);
}

static CK_RV shim_C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
    int pin = read_left("pin_left"), puk = read_left("puk_left");
    CK_RV result;
    if (is_out()) {
        gone();
        return CKR_TOKEN_NOT_PRESENT;
    }
    result = real->C_GetTokenInfo(slot, info);
    info->flags &= ~(CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED | CKF_SO_PIN_COUNT_LOW |
                     CKF_SO_PIN_FINAL_TRY | CKF_SO_PIN_LOCKED);
    info->flags |= pin == 0 ? CKF_USER_PIN_LOCKED : pin == 1 ? CKF_USER_PIN_FINAL_TRY : pin < TRIES ? CKF_USER_PIN_COUNT_LOW : 0;
    info->flags |= puk == 0 ? CKF_SO_PIN_LOCKED : puk == 1 ? CKF_SO_PIN_FINAL_TRY : puk < TRIES ? CKF_SO_PIN_COUNT_LOW : 0;
    return result;
}

static CK_RV shim_C_Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG length)
{
    const char *counter = user == CKU_SO ? "puk_left" : "pin_left";
    int left = read_left(counter);
    CK_RV result = before("C_Login");
    if (result != CKR_OK)
        return result;
    if (left == 0)
        return CKR_PIN_LOCKED;
    result = real->C_Login(session, user, pin, length);
    if (result == CKR_OK)
        write_left(counter, TRIES);
    if (result == CKR_PIN_INCORRECT) {
        write_left(counter, left - 1);
        return left == 1 ? CKR_PIN_LOCKED : result;
    }
    return after("C_Login", result);
}

static CK_RV shim_C_InitPIN(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR pin, CK_ULONG length)
{
    CK_RV result = before("C_InitPIN");
    if (result != CKR_OK)
        return result;
    result = real->C_InitPIN(session, pin, length);
    if (result == CKR_OK)
        write_left("pin_left", TRIES);
    return after("C_InitPIN", result);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR functions)
{
    if (!real) {
        const char *module = getenv("P11SHIM_MODULE");
        void *library = module ? dlopen(module, RTLD_NOW) : NULL;
        CK_RV (*get)(CK_FUNCTION_LIST_PTR_PTR) = library ? (CK_RV(*)(CK_FUNCTION_LIST_PTR_PTR))dlsym(library, "C_GetFunctionList") : NULL;
        if (!get || get(&real) != CKR_OK)
            return CKR_GENERAL_ERROR;
        list = *real;
        list.C_GetFunctionList = C_GetFunctionList;
        list.C_GetSlotList = shim_C_GetSlotList;
        list.C_GetTokenInfo = shim_C_GetTokenInfo;
        list.C_OpenSession = shim_C_OpenSession;
        list.C_CloseSession = shim_C_CloseSession;
        list.C_Finalize = shim_C_Finalize;
        list.C_Login = shim_C_Login;
        list.C_InitPIN = shim_C_InitPIN;
        list.C_FindObjectsInit = shim_C_FindObjectsInit;
        list.C_GetAttributeValue = shim_C_GetAttributeValue;
        list.C_CreateObject = shim_C_CreateObject;
        list.C_DestroyObject = shim_C_DestroyObject;
        list.C_SignInit = shim_C_SignInit;
        list.C_Sign = shim_C_Sign;
        list.C_GenerateKeyPair = shim_C_GenerateKeyPair;
    }
    *functions = &list;
    return CKR_OK;
}
