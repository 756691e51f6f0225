@echo off
rem vbatch, vrun and vctl in VS Code's terminals, on VS Code's own Node.
setlocal
set ELECTRON_RUN_AS_NODE=1
if not defined VBATCH_NODE set VBATCH_NODE=node
"%VBATCH_NODE%" "%~dp0..\cli\%~n0.cjs" %*
