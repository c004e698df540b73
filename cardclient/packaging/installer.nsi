; Per-user installer for Windows: no administrator, one installation for each user of the computer, as in the guides.
; makensis /DVERSION=0.2.0 /DFOLDER=..\..\var\bundle\sigillo installer.nsi   (NSIS 3.08 or newer)
Unicode true
!include "MUI2.nsh"
!include "x64.nsh"

!ifndef VERSION
  !error "say the version: /DVERSION=x.y.z"
!endif
!ifndef FOLDER
  !define FOLDER "..\..\var\bundle\sigillo"
!endif
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\Sigillo"

Name "Sigillo"
OutFile "..\..\var\bundle\sigillo-${VERSION}-windows-x64.exe"
RequestExecutionLevel user
InstallDir "$LOCALAPPDATA\Programs\Sigillo"
InstallDirRegKey HKCU "Software\Sigillo" "Folder"
SetCompressor /SOLID lzma
VIProductVersion "${VERSION}.0"
VIAddVersionKey "ProductName" "Sigillo"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "Rinnovo dei certificati della carta"
VIAddVersionKey "LegalCopyright" "Sigillo"

!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!define MUI_FINISHPAGE_RUN "$INSTDIR\sigillo.exe"
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "Italian"
!insertmacro MUI_LANGUAGE "English"

LangString NEEDS_64_BIT ${LANG_ITALIAN} "Serve Windows 10 o successivo a 64 bit."
LangString NEEDS_64_BIT ${LANG_ENGLISH} "Windows 10 or later, 64 bit, is needed."
LangString IS_RUNNING ${LANG_ITALIAN} "Sigillo è aperto: lo chiuda e riprovi. Se un rinnovo è in corso, attenda che finisca."
LangString IS_RUNNING ${LANG_ENGLISH} "Sigillo is open: close it and try again. If a renewal is under way, wait for its end."

Function .onInit
  ${IfNot} ${RunningX64}
    MessageBox MB_ICONSTOP "$(NEEDS_64_BIT)"
    Abort
  ${EndIf}
FunctionEnd

; Files of a program that runs cannot be replaced: a card might just be written by it.
!macro RequireClosed
  IfFileExists "$INSTDIR\sigillo.exe" 0 +5
  ClearErrors
  FileOpen $0 "$INSTDIR\sigillo.exe" a
  IfErrors 0 +3
  MessageBox MB_ICONEXCLAMATION "$(IS_RUNNING)"
  Abort
  FileClose $0
!macroend

Section "Sigillo"
  !insertmacro RequireClosed
  ; A file that an older version had and this one has not must not stay: the folder is emptied first.
  RMDir /r "$INSTDIR\_internal"
  SetOutPath "$INSTDIR"
  File /r "${FOLDER}\*"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortCut "$SMPROGRAMS\Sigillo.lnk" "$INSTDIR\sigillo.exe"
  CreateShortCut "$DESKTOP\Sigillo.lnk" "$INSTDIR\sigillo.exe"
  WriteRegStr HKCU "Software\Sigillo" "Folder" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "Sigillo"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayIcon" "$INSTDIR\sigillo.exe"
  WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1
SectionEnd

; Preferences and logs of the user stay: they lie in %APPDATA%, and a renewal needs neither.
Section "Uninstall"
  !insertmacro RequireClosed
  Delete "$SMPROGRAMS\Sigillo.lnk"
  Delete "$DESKTOP\Sigillo.lnk"
  RMDir /r "$INSTDIR\_internal"
  Delete "$INSTDIR\sigillo.exe"
  Delete "$INSTDIR\sigillo-card.exe"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  DeleteRegKey HKCU "${UNINSTALL}"
  DeleteRegKey HKCU "Software\Sigillo"
SectionEnd
